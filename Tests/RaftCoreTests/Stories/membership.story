# A learner, its promotion, and the removal of the leader (thesis 4.1, 4.2; RA9 to RA11).
cluster 3
campaign 1
member 1 +l4
----
refused: notLeader(leader: nil)

settle quietly
----
1 is leader in term 1
1 applied 1/1 empty
2 is follower in term 1
2 applied 1/1 empty
3 is follower in term 1
3 applied 1/1 empty

join 4
member 1 +l4
settle quietly
----
accepted as 2/1
1 applied 2/1 membership
2 applied 2/1 membership
3 applied 2/1 membership
4 is learner in term 1
4 applied 1/1 empty, 2/1 membership

status
----
1 leader term 1 leader 1 commit 2 log 1...2 members 1 2 3 (4)
2 follower term 1 leader 1 commit 2 log 1...2 members 1 2 3 (4)
3 follower term 1 leader 1 commit 2 log 1...2 members 1 2 3 (4)
4 learner term 1 leader 1 commit 2 log 1...2 members 1 2 3 (4)

# One change at a time.
member 1 +v4
member 1 -v2
settle quietly
----
accepted as 3/1
refused: changePending
1 applied 3/1 membership
2 applied 3/1 membership
3 applied 3/1 membership
4 is follower in term 1
4 applied 3/1 membership

member 1 +v4
----
refused: alreadySo

member 1 -v1
settle quietly
----
accepted as 4/1
1 is follower in term 1
1 applied 4/1 membership
2 applied 4/1 membership
3 applied 4/1 membership

status
----
1 follower term 1 leader - commit 4 log 1...4 members 2 3 4
2 follower term 1 leader 1 commit 4 log 1...4 members 2 3 4
3 follower term 1 leader 1 commit 4 log 1...4 members 2 3 4
4 follower term 1 leader 1 commit 3 log 1...4 members 2 3 4

campaign 1
settle
----

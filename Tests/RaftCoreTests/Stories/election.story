# An election with pre-vote (thesis 3.4, 9.6): two round trips, then the leader's empty entry.
cluster 3
campaign 1
settle
----
1->2 pre-vote? t1 last 0/0
1->3 pre-vote? t1 last 0/0
2->1 pre-vote t1 granted
3->1 pre-vote t1 granted
1->2 vote? t1 last 0/0
1->3 vote? t1 last 0/0
2->1 vote t1 granted
3->1 vote t1 granted
1->2 append t1 prev 0/0 [1/1 empty] commit 0 round 1
1->3 append t1 prev 0/0 [1/1 empty] commit 0 round 1
2->1 answer t1 match 1 round 1
3->1 answer t1 match 1 round 1
1->2 append t1 prev 1/1 [] commit 1 round 1
1->3 append t1 prev 1/1 [] commit 1 round 1
2->1 answer t1 match 1 round 1
3->1 answer t1 match 1 round 1
1 is leader in term 1
1 applied 1/1 empty
2 is follower in term 1
2 applied 1/1 empty
3 is follower in term 1
3 applied 1/1 empty

status
----
1 leader term 1 leader 1 commit 1 log 1...1 members 1 2 3
2 follower term 1 leader 1 commit 1 log 1...1 members 1 2 3
3 follower term 1 leader 1 commit 1 log 1...1 members 1 2 3

# A second server that campaigns is ignored while the leader is alive (RA3).
campaign 2
settle
----
2->1 pre-vote? t2 last 1/1
2->3 pre-vote? t2 last 1/1

# The leader's next heartbeat brings it back.
tick 1 10
settle
----
1 is leader in term 1
1->2 append t1 prev 1/1 [] commit 1 round 2
1->3 append t1 prev 1/1 [] commit 1 round 2
2->1 answer t1 match 1 round 2
3->1 answer t1 match 1 round 2
2 is follower in term 1

# When the leader is gone, the others elect a new one.
crash 1
tick 2 60
tick 3 60
campaign 3
settle quietly
----
2 is follower in term 1
3 is follower in term 1
2 is follower in term 2
2 applied 2/2 empty
3 is leader in term 2
3 applied 2/2 empty

status
----
1 down
2 follower term 2 leader 3 commit 2 log 1...2 members 1 2 3
3 leader term 2 leader 3 commit 2 log 1...2 members 1 2 3

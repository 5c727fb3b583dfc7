# A follower that is too far behind gets the snapshot in chunks (thesis 5.1; RA12).
cluster 3 tiny-chunks
campaign 1
settle quietly
----
1 is leader in term 1
1 applied 1/1 empty
2 is follower in term 1
2 applied 1/1 empty
3 is follower in term 1
3 applied 1/1 empty

isolate 3
propose 1 a
propose 1 b
settle quietly
----
accepted as 2/1
accepted as 3/1
1 applied 2/1 a, 3/1 b
2 applied 2/1 a, 3/1 b

compact 1
compact 2
compact 3
----
first index 4
first index 4
first index 2

heal
tick 1 10
settle quietly
----
1 is leader in term 1

tick 1 10
settle quietly
----
1 is leader in term 1
3 installed the snapshot of 3

tick 1 10
settle
----
1 is leader in term 1
1->2 append t1 prev 3/1 [] commit 3 round 4
1->3 append t1 prev 3/1 [] commit 3 round 4
2->1 answer t1 match 3 round 4
3->1 answer t1 match 3 round 4

status
----
1 leader term 1 leader 1 commit 3 log 4...3 members 1 2 3
2 follower term 1 leader 1 commit 3 log 4...3 members 1 2 3
3 follower term 1 leader 1 commit 3 log 4...3 members 1 2 3

propose 1 c
settle quietly
----
accepted as 4/1
1 applied 4/1 c
2 applied 4/1 c
3 applied 4/1 c

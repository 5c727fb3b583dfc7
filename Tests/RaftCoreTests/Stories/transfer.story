# Leadership is handed over at once (thesis 3.10; RA8).
cluster 3
campaign 1
settle quietly
----
1 is leader in term 1
1 applied 1/1 empty
2 is follower in term 1
2 applied 1/1 empty
3 is follower in term 1
3 applied 1/1 empty

transfer 1 2
propose 1 a
transfer 1 3
settle
----
to 2
refused: transferring
refused: transferring
1->2 timeout-now t1
2->1 vote? t2 last 1/1 transfer
2->3 vote? t2 last 1/1 transfer
1->2 vote t2 granted
3->2 vote t2 granted
2->1 append t2 prev 1/1 [2/2 empty] commit 1 round 1
2->3 append t2 prev 1/1 [2/2 empty] commit 1 round 1
1->2 answer t2 match 2 round 1
3->2 answer t2 match 2 round 1
2->1 append t2 prev 2/2 [] commit 2 round 1
2->3 append t2 prev 2/2 [] commit 2 round 1
1->2 answer t2 match 2 round 1
3->2 answer t2 match 2 round 1
1 is follower in term 2
1 applied 2/2 empty
2 is leader in term 2
2 applied 2/2 empty
3 is follower in term 2
3 applied 2/2 empty

# To a server that is behind, after it has caught up.
isolate 3
propose 2 b
settle quietly
----
accepted as 3/2
1 applied 3/2 b
2 applied 3/2 b

transfer 2 3
settle
----
to 3

heal
tick 2 10
settle quietly
----
2 is leader in term 2

tick 2 10
settle quietly
----
2 is leader in term 2
1 is follower in term 3
1 applied 4/3 empty
2 is follower in term 3
2 applied 4/3 empty
3 is leader in term 3
3 applied 3/2 b, 4/3 empty

tick 2 10
settle quietly
----
2 is follower in term 3

status
----
1 follower term 3 leader 3 commit 4 log 1...4 members 1 2 3
2 follower term 3 leader 3 commit 4 log 1...4 members 1 2 3
3 leader term 3 leader 3 commit 4 log 1...4 members 1 2 3

# Given up after one maximum election timeout when the target is away.
crash 1
transfer 3 1
propose 3 c
----
to 1
refused: transferring

tick 3 60
settle quietly
----
3 is leader in term 3

tick 3 61
propose 3 d
----
3 is leader in term 3
accepted as 5/3

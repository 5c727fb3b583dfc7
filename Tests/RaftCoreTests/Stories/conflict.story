# The logs of figure 3.6 (b) and (f) of the thesis: a follower with entries missing and with foreign ones.
cluster 3
log 1 1 1 1 4 4 5 5 6 6 6
log 2 1 1 1 4
log 3 1 1 1 2 2 2 3 3 3 3 3
campaign 1
settle
----
1->2 pre-vote? t7 last 10/6
1->3 pre-vote? t7 last 10/6
2->1 pre-vote t7 granted
3->1 pre-vote t7 granted
1->2 vote? t7 last 10/6
1->3 vote? t7 last 10/6
2->1 vote t7 granted
3->1 vote t7 granted
1->2 append t7 prev 10/6 [11/7 empty] commit 0 round 1
1->3 append t7 prev 10/6 [11/7 empty] commit 0 round 1
2->1 answer t7 refused, hint 4/4 round 1
3->1 answer t7 refused, hint 10/3 round 1
1->2 append t7 prev 4/4 [5/4 , 6/5 , 7/5 , 8/6 , 9/6 , 10/6 , 11/7 empty] commit 0 round 1
1->3 append t7 prev 3/1 [4/4 , 5/4 , 6/5 , 7/5 , 8/6 , 9/6 , 10/6 , 11/7 empty] commit 0 round 1
2->1 answer t7 match 11 round 1
3->1 answer t7 match 11 round 1
1->2 append t7 prev 11/7 [] commit 11 round 1
1->3 append t7 prev 11/7 [] commit 11 round 1
2->1 answer t7 match 11 round 1
3->1 answer t7 match 11 round 1
1 is leader in term 7
1 applied 1/1 , 2/1 , 3/1 , 4/4 , 5/4 , 6/5 , 7/5 , 8/6 , 9/6 , 10/6 , 11/7 empty
2 is follower in term 7
2 applied 1/1 , 2/1 , 3/1 , 4/4 , 5/4 , 6/5 , 7/5 , 8/6 , 9/6 , 10/6 , 11/7 empty
3 is follower in term 7
3 applied 1/1 , 2/1 , 3/1 , 4/4 , 5/4 , 6/5 , 7/5 , 8/6 , 9/6 , 10/6 , 11/7 empty

entries 1
----
1/1 , 2/1 , 3/1 , 4/4 , 5/4 , 6/5 , 7/5 , 8/6 , 9/6 , 10/6 , 11/7 empty

entries 2
----
1/1 , 2/1 , 3/1 , 4/4 , 5/4 , 6/5 , 7/5 , 8/6 , 9/6 , 10/6 , 11/7 empty

entries 3
----
1/1 , 2/1 , 3/1 , 4/4 , 5/4 , 6/5 , 7/5 , 8/6 , 9/6 , 10/6 , 11/7 empty

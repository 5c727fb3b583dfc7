# A read waits for a round that began after it (thesis 6.4; RA6, RA7).
cluster 3
read 1 1
settle
----
1 read 1: failed

campaign 1
settle quietly
----
1 is leader in term 1
1 applied 1/1 empty
2 is follower in term 1
2 applied 1/1 empty
3 is follower in term 1
3 applied 1/1 empty

propose 1 a
settle quietly
----
accepted as 2/1
1 applied 2/1 a
2 applied 2/1 a
3 applied 2/1 a

read 1 2
settle
----
1->2 append t1 prev 2/1 [] commit 2 round 2
1->3 append t1 prev 2/1 [] commit 2 round 2
2->1 answer t1 match 2 round 2
3->1 answer t1 match 2 round 2
1 read 2: at 2

# Two reads share a round.
read 1 3
read 1 4
settle quietly
----
1 read 3: at 2
1 read 4: at 2

# Alone, the leader confirms nothing, and gives up with check-quorum.
isolate 1
read 1 5
settle
----
1->2 append t1 prev 2/1 [] commit 2 round 4 (lost)
1->3 append t1 prev 2/1 [] commit 2 round 4 (lost)

tick 1 100
settle
----
1 is follower in term 1
1 read 5: failed

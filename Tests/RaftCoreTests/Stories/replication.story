# A proposal goes out at once, is committed by a majority, and the commit index follows at once (RA15).
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

propose 1 a
settle
----
accepted as 2/1
1->2 append t1 prev 1/1 [2/1 a] commit 1 round 1
1->3 append t1 prev 1/1 [2/1 a] commit 1 round 1
2->1 answer t1 match 2 round 1
3->1 answer t1 match 2 round 1
1->2 append t1 prev 2/1 [] commit 2 round 1
1->3 append t1 prev 2/1 [] commit 2 round 1
2->1 answer t1 match 2 round 1
3->1 answer t1 match 2 round 1
1 applied 2/1 a
2 applied 2/1 a
3 applied 2/1 a

# A leader whose disk is slow commits by the disks of the others, and applies when its own is done (RA13).
slow-disk 1
propose 1 b
settle
----
accepted as 3/1
1->2 append t1 prev 2/1 [3/1 b] commit 2 round 1
1->3 append t1 prev 2/1 [3/1 b] commit 2 round 1
2->1 answer t1 match 3 round 1
3->1 answer t1 match 3 round 1
1->2 append t1 prev 3/1 [] commit 3 round 1
1->3 append t1 prev 3/1 [] commit 3 round 1
2->1 answer t1 match 3 round 1
3->1 answer t1 match 3 round 1
2 applied 3/1 b
3 applied 3/1 b

write 1
settle
----
1 applied 3/1 b

# A follower does not acknowledge before its write returned.
slow-disk 2
slow-disk 3
propose 1 c
settle
----
accepted as 4/1
1->2 append t1 prev 3/1 [4/1 c] commit 3 round 1
1->3 append t1 prev 3/1 [4/1 c] commit 3 round 1

write 2
settle
----
2->1 answer t1 match 4 round 1
1->2 append t1 prev 4/1 [] commit 4 round 1
2->1 answer t1 match 4 round 1
1 applied 4/1 c
2 applied 4/1 c

write 3
settle
----
3->1 answer t1 match 4 round 1
1->3 append t1 prev 4/1 [] commit 4 round 1
3->1 answer t1 match 4 round 1
3 applied 4/1 c

# A lost append is sent again after two heartbeats without progress.
propose 1 d
lose 1->3
----
accepted as 5/1
lost: 1->3 append t1 prev 4/1 [5/1 d] commit 4 round 1

settle quietly
----
1 applied 5/1 d
2 applied 5/1 d

tick 1 10
settle quietly
----
1 is leader in term 1

tick 1 10
settle quietly
----
1 is leader in term 1
3 applied 5/1 d

tick 1 10
settle
----
1 is leader in term 1
1->2 append t1 prev 5/1 [] commit 5 round 4
1->3 append t1 prev 5/1 [] commit 5 round 4
2->1 answer t1 match 5 round 4
3->1 answer t1 match 5 round 4

propose 2 e
----
refused: notLeader(leader: Optional(1))

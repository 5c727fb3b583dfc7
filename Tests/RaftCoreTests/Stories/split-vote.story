# Two candidates of an even cluster refuse each other; the retry comes soon (RA16).
cluster 2
campaign 1
campaign 2
deliver all
----
1->2 pre-vote? t1 last 0/0
2->1 pre-vote? t1 last 0/0

deliver all
----
2->1 pre-vote t1 granted
1->2 pre-vote t1 granted
1 is candidate in term 1
2 is candidate in term 1

deliver all
----
1->2 vote? t1 last 0/0
2->1 vote? t1 last 0/0

tick 1 30
settle quietly
----
1 is candidate in term 1

status
----
1 candidate term 1 leader - commit 0 log 1...0 members 1 2
2 candidate term 1 leader - commit 0 log 1...0 members 1 2

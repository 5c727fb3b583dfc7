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

deliver all
----
2->1 vote t1 refused
1->2 vote t1 refused

tick 1 30
settle quietly
----
1 is precandidate in term 1
1 is leader in term 2
1 applied 1/2 empty
2 is follower in term 2
2 applied 1/2 empty

status
----
1 leader term 2 leader 1 commit 1 log 1...1 members 1 2
2 follower term 2 leader 1 commit 1 log 1...1 members 1 2

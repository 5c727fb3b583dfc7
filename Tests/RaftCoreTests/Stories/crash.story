# What was promised survives a crash; what was not durable is gone and was not promised.
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

slow-disk 3
propose 1 a
settle quietly
----
accepted as 2/1
1 applied 2/1 a
2 applied 2/1 a

crash 3
restart 3
status
----
1 leader term 1 leader 1 commit 2 log 1...2 members 1 2 3
2 follower term 1 leader 1 commit 2 log 1...2 members 1 2 3
3 follower term 1 leader - commit 0 log 1...1 members 1 2 3

entries 3
----
1/1 empty

propose 1 b
tick 1 10
settle quietly
----
accepted as 3/1
1 is leader in term 1
1 applied 3/1 b
2 applied 3/1 b
3 applied 1/1 empty

tick 1 10
settle quietly
----
1 is leader in term 1

tick 1 10
settle quietly
----
1 is leader in term 1

write 3
settle quietly
----
3 applied 2/1 a, 3/1 b

status
----
1 leader term 1 leader 1 commit 3 log 1...3 members 1 2 3
2 follower term 1 leader 1 commit 3 log 1...3 members 1 2 3
3 follower term 1 leader 1 commit 3 log 1...3 members 1 2 3

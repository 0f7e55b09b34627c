module jobguard/test/cluster/idle

go 1.26.0

module jobguard/test/cluster/programs

go 1.26.0

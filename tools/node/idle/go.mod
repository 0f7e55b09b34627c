module jobguard/tools/node/idle

go 1.26.0

package main

import "time"

// rows is the matrix, in the order of the table in the issue "Failures and limits", and then what the peers can do beside it.
func rows() []row {
	all := []row{
		{name: "limit known", phase: calm, run: knownLimit},
		{name: "limit known, stopped and started", phase: calm, run: limitAcrossRuns},
		{name: "limit unknown, with rate headers", phase: calm, run: func(g *rig) { unknownLimit(g, "full") }},
		{name: "limit unknown, without rate headers", phase: calm, run: func(g *rig) { unknownLimit(g, "none") }},
		{name: "limit of tokens a minute", long: true, phase: calm, limit: 2 * time.Hour, run: tokenLimit},
		{name: "over the limit of tokens alone", run: largerThanLimits},
		{name: "all 429 for a while, then fine", phase: calm, run: refusesForAWhile},
		{name: "calls in flight limited, not known", run: inFlightLimit},
		{name: "500s, 429s, resets, malformed, kill -9", limit: time.Hour, run: everythingAtOnce},
		{name: "kill -9 again and again", run: killedAgainAndAgain},
		{name: "out of quota mid-run", run: outOfQuota},
		{name: "key refused mid-run", run: keyRefused},
		{name: "unknown agent", run: unknownAgent},
		{name: "key refused from the start", run: wrongKey},
		{name: "10 too long (400), 5 of 413", run: refusedDocuments},
		{name: "finish_reason length", run: func(g *rig) { marked(g, "truncate") }},
		{name: "finish_reason content_filter", run: func(g *rig) { marked(g, "filter") }},
		{name: "one call hangs for ever", phase: alone, run: oneHangs},
		{name: "budget of requests", run: budget},
		{name: "agent down for good", run: downForGood},
		{name: "SIGTERM", run: terminated},
	}
	for _, fault := range []string{"error200", "nothing", "html", "nochoices", "null", "empty", "malformed", "cut"} {
		all = append(all, row{name: "200 with " + fault, run: func(g *rig) { noAnswer(g, fault) }})
	}
	for _, fault := range []string{"cutstream", "error200", "nothing", "html"} {
		all = append(all, row{name: "200 with " + fault + ", streamed", run: func(g *rig) { noAnswer(g, fault, "--stream") }})
	}
	all = append(all, networkRows()...)
	all = append(all, machineRows()...)
	return append(all, stateRows()...)
}

func networkRows() []row {
	nginx, proxy := []string{needNginx}, []string{needToxiproxy}
	all := []row{
		{name: "agent down: connections refused", run: downRefused},
		{name: "agent down: nginx's 502 pages", needs: nginx, run: downBehindNginx},
		{name: "agent down: toxiproxy closed", needs: proxy, run: downBehindProxy},
		{name: "agent down: its name is unknown", needs: []string{needMount}, run: downByName},
		{name: "nginx 413 (client_max_body_size)", needs: nginx, run: nginxTooLarge},
		{name: "nginx 429 (limit_req)", needs: nginx, run: nginxTooMany},
		{name: "nginx 503 (limit_conn)", needs: nginx, run: nginxTooBusy},
		{name: "nginx 504 (proxy_read_timeout)", needs: nginx, run: nginxTooSlow},
		{name: "TLS: signed by itself", needs: nginx, run: selfSigned},
		{name: "TLS: expired", needs: nginx, run: expired},
		{name: "TLS: good", needs: nginx, run: goodTLS},
		{name: "a body of 2 GB", needs: nginx, run: hugeBody},
		{name: "a gzip bomb", needs: nginx, run: gzipBomb},
		{name: "toxiproxy timeout: calls hang", needs: proxy, run: connectionsHang},
		{name: "toxiproxy reset_peer", needs: proxy, run: connectionsReset},
		{name: "toxiproxy limit_data: answers cut", needs: proxy, run: answersCut},
		{name: "toxiproxy slicer, latency, bandwidth", needs: proxy, run: slowNetwork},
	}
	for _, status := range []string{"301", "302", "307", "308"} {
		all = append(all, row{name: "redirect to another host: " + status, needs: nginx, run: func(g *rig) { redirected(g, status) }})
	}
	return all
}

func machineRows() []row {
	strace := []string{needStrace}
	return []row{
		{name: "state on a tmpfs of 2 MiB", needs: []string{needMount}, run: diskFull},
		{name: "write number N fails: ENOSPC", needs: strace, limit: time.Hour, run: func(g *rig) { callFails(g, "pwrite64,write,pwritev", "ENOSPC") }},
		{name: "write number N fails: EIO", needs: strace, limit: time.Hour, run: func(g *rig) { callFails(g, "pwrite64,write,pwritev", "EIO") }},
		{name: "fsync number N fails: EIO", needs: strace, limit: time.Hour, run: func(g *rig) { callFails(g, "fsync,fdatasync", "EIO") }},
		{name: "too few file descriptors", needs: []string{needPrlimit}, run: fewDescriptors},
	}
}

func stateRows() []row {
	shell := []string{needSQLite}
	return []row{
		{name: "state held by another for a while", needs: shell, run: heldAWhile},
		{name: "state held by another for good", needs: shell, long: true, run: heldForGood},
		{name: "state damaged in its middle", run: damagedState},
		{name: "state of another program", needs: shell, run: foreignState},
		{name: "state is no database", run: noDatabase},
		{name: "state of a newer docbatch", needs: shell, run: newerState},
		{name: "-wal deleted after kill -9", run: lostLog},
		{name: "second run beside the first", run: secondRun},
	}
}

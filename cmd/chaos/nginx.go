package main

import (
	"fmt"
	"os"
	"strings"
)

// An nginx stands between docbatch and the agent, or in place of it.
type nginx struct {
	rig *rig
	url string // base URL
	log string // one line a request: its status
}

// Every location that a row does not set answers from the agent. One process, no privileges but its user's, every path in the
// row's folder.
const nginxConfig = `
daemon off;
master_process off;
pid %[1]s/nginx.pid;
error_log stderr warn;
events { worker_connections 512; }
http {
	log_format status '$status';
	access_log %[1]s/nginx.log status;
	client_body_temp_path %[1]s/nginx-body;
	proxy_temp_path %[1]s/nginx-proxy;
	fastcgi_temp_path %[1]s/nginx-fastcgi;
	uwsgi_temp_path %[1]s/nginx-uwsgi;
	scgi_temp_path %[1]s/nginx-scgi;
	proxy_http_version 1.1;
	client_body_buffer_size 1m;
	%[2]s
	server {
		listen %[3]s;
		root %[1]s/html;
		%[4]s
	}
}
`

// proxied is the location that passes everything on to the agent, with more settings of the row.
func (g *rig) proxied(more string) string {
	return fmt.Sprintf("location / { proxy_pass http://%s; %s }", g.agent.address, more)
}

// nginx starts one, with settings for all of it and for its one server. The files that it serves are in the folder html.
func (g *rig) nginx(settings, server string) *nginx {
	return g.nginxWith("", "http", settings, server)
}

// nginxTLS starts one that speaks TLS with a certificate.
func (g *rig) nginxTLS(c certificate) *nginx {
	cert, key := g.write("cert.pem", c.cert), g.write("key.pem", c.key)
	return g.nginxWith(" ssl", "https", fmt.Sprintf("ssl_certificate %s; ssl_certificate_key %s;", cert, key), g.proxied(""))
}

func (g *rig) nginxWith(listen, scheme, settings, server string) *nginx {
	address, err := freeAddress()
	g.must(err)
	n := &nginx{rig: g, url: scheme + "://" + address + "/v1", log: g.path("nginx.log")}
	g.must(os.MkdirAll(g.path("html"), 0o755))
	conf := g.write("nginx.conf", fmt.Appendf(nil, nginxConfig, g.dir, settings, address+listen, server))
	g.peer(address, "nginx", "-p", g.dir, "-c", conf)
	g.front = n
	return n
}

// write writes a file of the row, and returns its path.
func (g *rig) write(name string, content []byte) string {
	path := g.path(name)
	g.must(os.WriteFile(path, content, 0o600))
	return path
}

// counted is how many requests nginx was sent, and how many of them it answered with 429. A request that never was one, such as a
// broken TLS handshake, has the status 400 with nginx and does not count.
func (n *nginx) counted() (requests, throttled int) {
	b, err := os.ReadFile(n.log)
	n.rig.must(err)
	for _, status := range strings.Fields(string(b)) {
		if status != "400" {
			requests++
		}
		if status == "429" {
			throttled++
		}
	}
	return requests, throttled
}

// statuses counts what nginx answered by status.
func (n *nginx) statuses() map[string]int {
	b, err := os.ReadFile(n.log)
	n.rig.must(err)
	count := map[string]int{}
	for _, status := range strings.Fields(string(b)) {
		count[status]++
	}
	return count
}

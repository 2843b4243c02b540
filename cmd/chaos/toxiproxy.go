package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
)

// A toxiproxy stands between docbatch and the agent, and breaks connections. Its API:
// https://github.com/Shopify/toxiproxy/tree/v2.5.0#http-api
type toxiproxy struct {
	rig *rig
	api string
	url string // base URL of the agent through it
}

const proxyName = "agent"

// toxiproxy starts one in front of the agent, without a fault yet.
func (g *rig) toxiproxy() *toxiproxy {
	api, err := freeAddress()
	g.must(err)
	front, err := freeAddress()
	g.must(err)
	host, port, err := net.SplitHostPort(api)
	g.must(err)
	g.peer(api, g.tools.toxiproxy(), "-host", host, "-port", port)
	t := &toxiproxy{rig: g, api: "http://" + api + "/proxies", url: "http://" + front + "/v1"}
	t.call(http.MethodPost, "", map[string]any{"name": proxyName, "listen": front, "upstream": g.agent.address, "enabled": true})
	return t
}

// toxic breaks the answers from now on; the attributes are those of the kind.
func (t *toxiproxy) toxic(kind string, attributes map[string]any) {
	t.call(http.MethodPost, "/"+proxyName+"/toxics", map[string]any{"name": kind, "type": kind, "stream": "downstream", "attributes": attributes})
}

// heal takes a fault away.
func (t *toxiproxy) heal(kind string) { t.call(http.MethodDelete, "/"+proxyName+"/toxics/"+kind, nil) }

// enable opens or closes the listener.
func (t *toxiproxy) enable(on bool) {
	t.call(http.MethodPost, "/"+proxyName, map[string]any{"enabled": on})
}

func (t *toxiproxy) call(method, path string, body map[string]any) {
	b, err := json.Marshal(body)
	t.rig.must(err)
	req, err := http.NewRequestWithContext(t.rig.ctx, method, t.api+path, bytes.NewReader(b))
	t.rig.must(err)
	resp, err := http.DefaultClient.Do(req)
	t.rig.must(err)
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		said, _ := io.ReadAll(resp.Body) // only for the message
		t.rig.must(fmt.Errorf("toxiproxy: %s %s: %s: %s", method, path, resp.Status, clip(string(said), 200)))
	}
}

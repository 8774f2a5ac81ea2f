package dns

import (
	"net/netip"
	"slices"
)

// proxyNames are the names that services before a web site lead visitors over.
var proxyNames = []struct{ suffix, who string }{
	{"cdn.cloudflare.net", "Cloudflare"},
	{"cloudflare.net", "Cloudflare"},
	{"cloudfront.net", "Amazon CloudFront"},
	{"awsglobalaccelerator.com", "AWS Global Accelerator"},
	{"elb.amazonaws.com", "an AWS load balancer"},
	{"fastly.net", "Fastly"},
	{"fastlylb.net", "Fastly"},
	{"akamaiedge.net", "Akamai"},
	{"edgekey.net", "Akamai"},
	{"edgesuite.net", "Akamai"},
	{"akamai.net", "Akamai"},
	{"akadns.net", "Akamai"},
	{"azureedge.net", "Azure CDN"},
	{"azurefd.net", "Azure Front Door"},
	{"trafficmanager.net", "Azure Traffic Manager"},
	{"b-cdn.net", "bunny.net"},
	{"incapdns.net", "Imperva"},
	{"impervadns.net", "Imperva"},
	{"sucuri.net", "Sucuri"},
	{"kxcdn.com", "KeyCDN"},
	{"cdn77.org", "CDN77"},
	{"gcdn.co", "Gcore"},
	{"netlify.app", "Netlify"},
	{"vercel-dns.com", "Vercel"},
}

// proxyNets are the networks Cloudflare and Fastly publish as theirs; the
// proxy of the first shows by nothing else.
var proxyNets = []struct {
	who  string
	nets []string
}{
	{"Cloudflare", []string{
		"103.21.244.0/22", "103.22.200.0/22", "103.31.4.0/22", "104.16.0.0/13", "104.24.0.0/14", "108.162.192.0/18",
		"131.0.72.0/22", "141.101.64.0/18", "162.158.0.0/15", "172.64.0.0/13", "173.245.48.0/20", "188.114.96.0/20",
		"190.93.240.0/20", "197.234.240.0/22", "198.41.128.0/17",
		"2400:cb00::/32", "2405:8100::/32", "2405:b500::/32", "2606:4700::/32", "2803:f800::/32", "2a06:98c0::/29", "2c0f:f248::/32",
	}},
	{"Fastly", []string{"151.101.0.0/16", "199.232.0.0/16", "2a04:4e42::/32"}},
}

// proxyOf names the service that names or addresses belong to; "" when none is
// known by them.
func proxyOf(names, addresses []string) string {
	for _, name := range names {
		for _, p := range proxyNames {
			if within(name, p.suffix) {
				return p.who
			}
		}
	}
	for _, a := range addresses {
		ip, err := netip.ParseAddr(a)
		if err != nil {
			continue
		}
		for _, p := range proxyNets {
			if slices.ContainsFunc(p.nets, func(n string) bool { return netip.MustParsePrefix(n).Contains(ip) }) {
				return p.who
			}
		}
	}
	return ""
}

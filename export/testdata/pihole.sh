#!/bin/sh
# Allow-list: Pi-hole 6, a script of its commands: all other names are denied
# 10 rules: 7 exact, 3 suffix
# made by lxd-allowlist 1.0
# session 20260301-090000-web1
# instance web1
# network lxdbr0
# exact: pihole allow h
# suffix: pihole --allow-regex '(^|\.)h$'
# load: sh FILE, on the Pi-hole; the last command denies all that is not allowed
# proven: no: written from the documentation alone, and read back by our own reader
set -e
pihole allow -dash.example.com
pihole allow _dmarc.example.com
# the shop's front | see <ticket 7>
pihole allow www.example.com
# =updates of the  vendor/
pihole --allow-regex '(^|\.)example\.net$'
pihole allow example.org
pihole --allow-regex '(^|\.)b\.example\.org$'
pihole allow a.www.example.org
# warning: anyone can have a name below github.io, and this rule allows it
pihole --allow-regex '(^|\.)github\.io$'
pihole allow lllllllllllllllllllllllllllllllllllllllllllllllllllllllllll.lllllllllllllllllllllllllllllllllllllllllllllllllllllllllll.lllllllllllllllllllllllllllllllllllllllllllllllllllllllllll.lllllllllllllllllllllllllllllllllllllllllllllllllllllllllll.example
pihole allow xn--bcher-kva.example
pihole --regex '.*'

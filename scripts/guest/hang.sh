# shellcheck shell=bash
# Sourced by vm-inner, which sets DIR, ICOUNT, BOOT and SLOWER: tells a guest that hangs from one that works, by what it
# prints, and says where it hangs. QEMU's monitor (QMP) is on the pipes /tmp/monitor.in and .out, its pid in /tmp/qemu.pid.

# Seconds without a sign of life that are a hang; times SLOWER, and twice that if instructions are counted. The longest that were measured: see docs/trust.md.
SILENT_BOOT=${VM_SILENT:-30}
SILENT_RUN=${VM_SILENT:-20}

# qmp JSON: one command for the monitor. Opened for reading too, it does not wait for a QEMU that is gone.
qmp() { printf '%s\n' "$1" 1<>/tmp/monitor.in; }

# hmp CPU COMMAND: what the monitor answers to it, asked about that processor; fails if it does not within 5 s.
hmp() {
	local line
	qmp "{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":\"$2\",\"cpu-index\":$1}}"
	while IFS= read -rt 5 line; do
		case $line in
		'{"return": "'*)
			line=${line#'{"return": "'}
			line=${line%%[[:cntrl:]]}
			printf '%b' "${line%'"}'}" | tr -d '\r'
			return 0
			;;
		'{"error"'*) return 1 ;;
		esac
	done <>/tmp/monitor.out
	return 1
}

# spent FIELD: of QEMU's threads, nanoseconds on a processor (1: of all together) or waiting for one (2: the longest).
spent() {
	local sum=0 longest=0 f on waited
	for f in "/proc/$(cat /tmp/qemu.pid 2>/dev/null)"/task/*/schedstat; do
		{ read -r on waited _ <"$f"; } 2>/dev/null || continue
		sum=$((sum + on))
		[ "$waited" -le "$longest" ] || longest=$waited
	done
	if [ "$1" = 1 ]; then echo "$sum"; else echo "$longest"; fi
}

# sign PHASE: what changes as long as the guest lives. As it boots its console grows, then its heartbeat (guest-init). One
# whose instructions are counted has none, which would be counted too: it never idles, so QEMU works as long as it does.
sign() {
	case $1$ICOUNT in
	boot*) stat -c %s "$DIR/console.log" 2>/dev/null || echo 0 ;;
	run0) stat -c %s "$DIR/beat" 2>/dev/null || echo 0 ;;
	run1) echo $(($(spent 1) / 100000000)) ;;
	esac
}

# watch_guest: ends a guest that hangs, with a report in DIR/hang, and DIR/hang.boot if its first process did not run.
# Time in which QEMU waited for a processor of this machine does not count as silence, but half of the time always does:
# a guest that spins on a busy machine is to be noticed too. DIR/silent has the longest of each
# phase, in milliseconds.
watch_guest() {
	local phase=boot limit=$((SILENT_BOOT * SLOWER * (1 + ICOUNT))) silent=0 last='' now waited before=0 i
	local -A longest=([boot]=0 [run]=0)
	for ((i = 1; ; i++)); do
		sleep 1
		if [ "$phase" = boot ] && grep -q 'vm: first process' "$DIR/console.log" 2>/dev/null; then
			phase=run limit=$((SILENT_RUN * SLOWER * (1 + ICOUNT))) last=''
		fi
		now=$(sign "$phase")
		waited=$((($(spent 2) - before) / 1000000))
		before=$((before + waited * 1000000))
		[ "$waited" -ge 0 ] && [ "$waited" -lt 500 ] || waited=500
		silent=$((silent + 1000 - waited))
		[ "$now" = "$last" ] || silent=0
		last=$now
		if [ "$silent" -gt "${longest[$phase]}" ]; then
			longest[$phase]=$silent
			echo "${longest[boot]} ${longest[run]}" >"$DIR/silent"
		fi
		if [ "$silent" -ge "$((limit * 1000))" ]; then
			hung "$phase" "after $limit s without $([ "$phase" = boot ] && echo 'a byte on its console' || echo 'a heartbeat')"
		elif [ "$phase" = boot ] && [ "$i" -ge "$BOOT" ]; then
			hung boot "its first process did not run within $BOOT s"
		fi
	done
}

# hung PHASE WHY: reports and ends the guest, and this process.
hung() {
	local doing=booted
	[ "$1" = boot ] || doing=ran
	{
		echo "the guest hung as it $doing: $2; the last lines of its console:"
		tail -n 15 "$DIR/console.log" | cut -c1-160
		look >"$DIR/registers" || echo "QEMU's monitor did not answer"
		where
	} >"$DIR/hang" 2>&1 || true
	[ "$1" != boot ] || : >"$DIR/hang.boot"
	kill -KILL "$(cat /tmp/qemu.pid)"
	exit 0
}

# look: what the monitor knows of the processors, twice, a second apart: who spins is seen to. Registers are exact only
# while the guest is stopped.
look() {
	local cpu
	qmp '{"execute":"qmp_capabilities"}'
	for cpu in $(hmp 0 'info cpus' | sed -n 's/.*CPU #\([0-9]*\).*/\1/p'); do
		echo "info lapic, CPU#$cpu"
		hmp "$cpu" 'info lapic'
	done
	hmp 0 'info pic'
	hmp 0 stop
	hmp 0 'info registers -a'
	hmp 0 cont
	sleep 1
	hmp 0 stop
	echo 'a second later'
	hmp 0 'info registers -a'
}

# kaslr: how far the kernel is from its link address, by where its first interrupt gate leads; fails if /kdir's
# System.map is not its.
kaslr() {
	local idt low address name
	idt=$(awk '/^IDT=/ {print $2; exit}' "$DIR/registers")
	low=$(hmp 0 "x /1gx 0x$idt" | awk '{print $2; exit}')
	[[ $low = 0x* ]] || return 1
	low=$(((low & 0xffff) | (low >> 32 & 0xffff0000)))
	while read -r address _ name; do
		address=$((low - 0x${address:8}))
		[ $((address & 0x1fffff)) != 0 ] || [ "$address" -lt 0 ] || { echo "$address" && return 0; }
	done < <(grep -E ' (asm_exc_divide_error|early_idt_handler_array)$' /kdir/System.map)
	return 1
}

# symbols KASLR: of the addresses on stdin, hexadecimal, those in the kernel's text, as symbol+offset, in their order.
symbols() {
	local n=0 address at name
	while read -r address; do
		[[ $address = ffffffff[89ab]* ]] || continue
		printf '%016x ~%d\n' $((0x$address - $1)) $((n++))
	done |
		LC_ALL=C sort - <(awk '$2 ~ /[tTwW]/ && /^ffffffff/ {print $1, $3}' /kdir/System.map) |
		awk '$2 ~ /^~/ {print substr($2, 2), $1, at, name; next} {at = $1; name = $2}' | sort -n |
		while read -r _ address at name; do
			n=$((0x$address - 0x$at))
			[ "$n" -gt 32767 ] || printf '%s+0x%x\n' "$name" "$n"
		done
}

# where: from DIR/registers, where each processor is, both times, and what return addresses its stack has.
where() {
	local kaslr cpu='' rip rsp rest line
	kaslr=$(kaslr) || { grep -E '^CPU#|^RIP' "$DIR/registers"; return; }
	echo "where its processors were (the kernel is $(printf '0x%x' "$kaslr") from its link address; $DIR/registers):"
	while read -r line; do
		case $line in
		CPU#*) cpu=${line#CPU#} ;;
		'a second later') echo "$line:" ;;
		*RSP=*) rsp=${line##*RSP=} ;;
		RIP=*)
			rip=${line#RIP=} rest=${line#* RFL=}
			rip=${rip%% *}
			printf 'CPU#%s\nRIP=%s %s RFL=%s\n' "$cpu" "$rip" "$(symbols "$kaslr" <<<"$rip")" "$rest"
			[[ $line = *CPL=3* ]] || stack "$cpu" "$rsp" "$kaslr"
			;;
		esac
	done < <(tr -d '\r' <"$DIR/registers")
}

# stack CPU RSP KASLR: the first return addresses on that stack, stale ones among them.
stack() {
	local words=$(((0x4000 - (0x$2 & 0x3fff)) / 8))
	[ "$words" -lt 512 ] || words=512
	hmp "$1" "x /${words}gx 0x$2" | grep -o '0xffffffff[0-9a-f]*' | cut -c3- | symbols "$3" | head -n 16 |
		paste -sd' ' | fold -sw 110 | sed 's/^/    /'
}

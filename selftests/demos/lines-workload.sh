#!/bin/bash
# lines-workload.sh DIR: several processes at once copy DIR/in/NAME to DIR/out/NAME, each in its own way;
# DIR/who/NAME is then the process that did and its file descriptor. Ends with a line that takes 2 s.
set -eu
cd "$1"

copy() {
	local name=$1
	shift
	"$@" <"in/$name" >"out/$name" &
	echo "$! 1" >"who/$name"
}

for name in in/*; do
	name=${name#in/}
	case $name in
	bytes*) copy "$name" dd bs=1 status=none ;;
	sevens*) copy "$name" dd bs=7 status=none ;;
	whole*) copy "$name" dd bs=64k status=none ;;
	pieces*) copy "$name" build/pieces "${name#pieces}" ;;
	twice*)
		copy "$name" tee /dev/fd/5 5>"out/$name-too"
		cp "in/$name" "in/$name-too"
		echo "$! 3" >"who/$name-too"
		;;
	esac
done
wait
printf 'a line '
for i in {1..20}; do
	printf '%s ' "$i"
	sleep 0.1
done
echo 'long'

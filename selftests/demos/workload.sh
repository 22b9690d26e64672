#!/bin/bash
# workload.sh DIR: a few hundred execve() calls, the same ones every time: a small C project is compiled,
# linked, run and inspected in DIR. Arguments are from none to some KiB; some calls fail.
set -eu
mkdir -p "$1"
cd "$1"
FILES=4
long=$(printf 'x%.0s' $(seq 900))

for i in $(seq "$FILES"); do
	printf 'int part%d(int n)\n{\n\treturn n * %d + 1;\n}\n' "$i" "$i" >"part$i.c"
done
{
	for i in $(seq "$FILES"); do echo "int part$i(int n);"; done
	echo 'int printf(const char *, ...);'
	echo 'int main(int argc, char **argv) { int s = argc;'
	for i in $(seq "$FILES"); do echo "s += part$i(s);"; done
	printf '%s\n' 'printf("%d\n", s); return 0; }'
} >main.c
for f in main $(seq -f 'part%g' "$FILES"); do
	gcc -O1 -pipe -DNAME="\"$f\"" -DTEXT="\"$long\"" -S -o "$f.s" "$f.c"
	as -o "$f.o" "$f.s"
done
ar rcs libparts.a part*.o
gcc -save-temps -o program main.o -L. -lparts
for i in $(seq 15); do
	seq "$i" | xargs -n 5 ./program >>results
	sort -n results | uniq -c | tail -n 1 >last
	basename "/a/b/$i.c" .c >/dev/null
	/usr/bin/printf '%s %s\n' "$i" "${long:0:$((i * 30))}" >>lines
done
find . -name '*.o' -exec nm {} \; | awk '{print $NF}' | sort | uniq >names
find . -name 'part*.c' -print0 | sort -z | xargs -0 -n 1 wc -l >lengths
for i in $(seq 15); do
	env "VARIABLE=$i" true "$long" "$long" "$long" "$long" "$i"
	./does-not-exist "$i" 2>/dev/null || true
	tr x y <lines | sed "s/y/$i/" | cut -c1-40 | tail -n 3 >>columns
done
true $(seq 60)
grep -c y columns

# Reads bench.sh's samples (name, side, millions of records and of dropped ones a second) and prints, for
# each mode or the one named `only`, instructions a record with C and with Rust: as text, or in fields.
# Modes that match `loose` are marked: their figures are no measure. `speed` is millions of instructions a second. Where all are dropped, a dropped one counts as a record.
function add(key, value) {
	list[key] = list[key] (list[key] == "" ? "" : ", ") sprintf("%.2f", value)
	if (!(key in n) || value < min[key]) min[key] = value
	if (!(key in n) || value > max[key]) max[key] = value
	sum[key] += value
	n[key]++
}
function mean(key) { return n[key] ? sum[key] / n[key] : 0 }
function share(name, side) { return records[name, side] ? dropped[name, side] / records[name, side] : 0 }
only == "" || $1 == only {
	if (!($1 in known)) names[++count] = $1
	known[$1] = 1
	records[$1, $2] += $3 + $4
	dropped[$1, $2] += $4
	if ($3 + $4 > 0) add($1 SUBSEP $2, speed / ($3 > 0 ? $3 : $4))
}
END {
	if (!count && form == "text") print only ": no figures"
	for (i = 1; i <= count; i++) {
		name = names[i]; c = name SUBSEP "c"; rust = name SUBSEP "rust"
		if (!n[c] || !n[rust]) {
			if (form == "text") print name ": no figures of one side"
			continue
		}
		ratio = mean(rust) / mean(c); low = min[rust] / max[c]; high = max[rust] / min[c]
		if (form == "text") {
			printf "%s: C %.1f, Rust %.1f, ratio %.3f (%.3f to %.3f)", name, mean(c), mean(rust), ratio, low, high
			if (share(name, "c") + share(name, "rust") > 0)
				printf "; dropped C %.1f %%, Rust %.1f %%", 100 * share(name, "c"), 100 * share(name, "rust")
			print (name ~ loose ? "; no measure" : "")
			continue
		}
		printf "%s\t%s\t%s\t%.4f\t%.4f\t%.4f\t%.4f\t%.4f\t%s\n", name, list[c], list[rust], ratio, low, high,
			share(name, "c"), share(name, "rust"), name ~ loose ? "true" : "false"
	}
}

// SPDX-License-Identifier: GPL-2.0

//! Nothing but benches, in `benches/`; `scripts/bench/run native` runs them.

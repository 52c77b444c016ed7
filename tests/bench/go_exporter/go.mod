module flowtrace/tests/bench/go_exporter

go 1.24

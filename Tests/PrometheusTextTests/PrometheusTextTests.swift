import PrometheusText
import Testing

@Suite struct PrometheusTextTests {
    @Test func `a counter is written with its help, type and labels`() {
        var family = MetricFamily("lab_operations_total", .counter, "Operations that ended.")
        family.add(3, MetricLabel("kind", "suspend"), MetricLabel("outcome", "done"))
        family.add(0.25)
        #expect(
            family.text == """
                # HELP lab_operations_total Operations that ended.
                # TYPE lab_operations_total counter
                lab_operations_total{kind="suspend",outcome="done"} 3
                lab_operations_total 0.25

                """
        )
    }

    @Test func `a label's value cannot leave its quotes or its line`() {
        var family = MetricFamily("lab_hosts", .gauge, "one\nline\\")
        family.add(1, MetricLabel("host", "a\"b\\c\nfermata 7"))
        #expect(
            family.text == #"""
                # HELP lab_hosts one\nline\\
                # TYPE lab_hosts gauge
                lab_hosts{host="a\"b\\c\nfermata 7"} 1

                """#
        )
    }

    @Test func `a metric without a sample is not told`() {
        #expect(MetricFamily("lab_nothing", .gauge, "Nothing.").text.isEmpty)
    }

    @Test func `a histogram's buckets hold all smaller ones, and infinity everything`() {
        var histogram = Histogram(bounds: [0.001, 0.01])
        for value in [0.001, 0.002, 0.5, -1, .nan] { histogram.observe(value) }
        #expect(histogram.count == 4)
        var family = MetricFamily("lab_late_seconds", .histogram, "Late.")
        family.add(histogram, MetricLabel("kind", "resume"))
        #expect(
            family.text == """
                # HELP lab_late_seconds Late.
                # TYPE lab_late_seconds histogram
                lab_late_seconds_bucket{kind="resume",le="0.001"} 2
                lab_late_seconds_bucket{kind="resume",le="0.01"} 3
                lab_late_seconds_bucket{kind="resume",le="+Inf"} 4
                lab_late_seconds_sum{kind="resume"} \(0.001 + 0.002 + 0.5 - 1)
                lab_late_seconds_count{kind="resume"} 4

                """
        )
    }

    @Test(arguments: [
        (Double.nan, "NaN"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (0, "0"), (1e300, "1e+300"),
        (0x1p60, "1.152921504606847e+18"), (1_764_000_000.5, "1764000000.5"),
    ])
    func `numbers are written as Prometheus reads them`(_ value: Double, _ text: String) {
        var family = MetricFamily("x", .gauge, "X.")
        family.add(value)
        #expect(family.text.hasSuffix("\nx \(text)\n"))
    }
}

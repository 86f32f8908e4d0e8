"""Line coverage of the pure modules, from the report that `swift test --enable-code-coverage` writes."""

import json
import pathlib
import sys

THRESHOLD = 90  # per cent of lines
MODULES = ("JSON", "Time", "MigrationStream", "GuestClock")
SOURCES = pathlib.Path(__file__).resolve().parents[1] / "Sources"


def files_of(report, module):
    folder = SOURCES.resolve() / module
    return [file for file in report["data"][0]["files"] if folder in pathlib.Path(file["filename"]).resolve().parents]


def show_missing(files):
    for file in files:
        # A segment is [line, column, count, has count, starts a region, is a gap] and reaches to the next one.
        lines = sorted({line for line, _, count, counted, _, gap in file["segments"] if counted and not gap and count == 0})
        if lines:
            print(f"{file['filename']}: {', '.join(map(str, lines))}")


def main():
    report = json.loads(pathlib.Path(sys.argv[1]).read_text())
    if sys.argv[2:3] == ["--missing"]:
        show_missing(files_of(report, sys.argv[3]))
        return
    failed = []
    print(f"{'module':<18}{'lines':>8}{'reached':>10}{'per cent':>10}")
    for module in MODULES:
        summaries = [file["summary"]["lines"] for file in files_of(report, module)]
        lines = sum(summary["count"] for summary in summaries)
        reached = sum(summary["covered"] for summary in summaries)
        # A module without lines is a report that does not see it, which must not pass.
        percent = 100 * reached / lines if lines else 0
        print(f"{module:<18}{lines:>8}{reached:>10}{percent:>10.1f}")
        if percent < THRESHOLD:
            failed.append(module)
    if failed:
        sys.exit(f"below {THRESHOLD} % of lines: {', '.join(failed)}; tools/coverage.sh --missing MODULE shows which")


if __name__ == "__main__":
    main()

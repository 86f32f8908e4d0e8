const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** `128 MiB`, `1.5 GiB`; a dash for what is not known. */
export function formatBytes(bytes) {
    if (bytes === undefined || bytes === null) return "–";
    let size = Number(bytes);
    let unit = 0;
    while (size >= 1024 && unit < units.length - 1) {
        size /= 1024;
        unit += 1;
    }
    const digits = unit === 0 || size >= 100 || Number.isInteger(size) ? 0 : size >= 10 ? 1 : 2;
    return `${size.toFixed(digits)} ${units[unit]}`;
}

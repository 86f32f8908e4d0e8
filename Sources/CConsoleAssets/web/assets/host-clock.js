// The host's time, which need not be this computer's: a browser may look at a host through a tunnel.

const MILLION = 1_000_000;
let offset = 0n;
let bestDelay = Infinity;

/** What the host's clock reads now, as well as it is known. */
export function hostNow() {
    return browserNow() + offset;
}

/**
 * Learns from an answer that says what the host's clock read while it was made.
 * @param {number} delay how long the answer took, in milliseconds: half of it is the error that this may have
 */
export function learn(hostNs, delay) {
    // A better answer is one that took less time; old ones are believed ever less, since clocks are set.
    bestDelay += 1;
    if (delay > bestDelay) return;
    bestDelay = delay;
    const before = BigInt(Math.round((delay / 2) * MILLION));
    const measured = hostNs + before - browserNow();
    const size = measured < 0n ? -measured : measured;
    // What cannot be told from the time that the answer took is no difference.
    offset = size <= before ? 0n : measured;
}

function browserNow() {
    const milliseconds = performance.timeOrigin + performance.now();
    return BigInt(Math.floor(milliseconds)) * 1_000_000n + BigInt(Math.round((milliseconds % 1) * MILLION));
}

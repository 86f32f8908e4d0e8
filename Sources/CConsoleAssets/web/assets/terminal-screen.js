// What a serial line says, as lines of text: carriage returns, backspaces, tabs and the erasing sequences of terminals are
// followed, colours and all other sequences are left out. Pure.

const sequence = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-Z\\^-~])/y;
const TAB = 8;
/** A line without an end is broken here. */
const WIDEST = 4_000;
/** A sequence that is longer is none. */
const LONGEST = 256;

export class TerminalScreen {
    #decoder = new TextDecoder();
    #rest = "";
    #line = [];
    #column = 0;

    /** The line that is being written. */
    get line() {
        return this.#line.join("");
    }

    /** @returns `{lines, cleared}`: the lines that are complete by these bytes, and whether what was before is erased */
    write(bytes) {
        const text = this.#rest + this.#decoder.decode(bytes, { stream: true });
        this.#rest = "";
        const lines = [];
        let cleared = false;
        for (let index = 0; index < text.length; ) {
            const character = text[index];
            if (character === "\x1b") {
                sequence.lastIndex = index;
                const match = sequence.exec(text)?.[0];
                if (match === undefined) {
                    if (text.length - index < LONGEST) {
                        // The end of it is still to come.
                        this.#rest = text.slice(index);
                        break;
                    }
                    index += 1;
                    continue;
                }
                if (/^\x1b\[[23]J$|^\x1bc$/.test(match)) {
                    lines.length = 0;
                    cleared = true;
                    this.#begin();
                } else this.#obey(match);
                index += match.length;
                continue;
            }
            index += 1;
            if (character === "\n" || this.#line.length >= WIDEST) lines.push(this.#end());
            if (character !== "\n") this.#put(character);
        }
        return { lines, cleared };
    }

    #put(character) {
        if (character === "\r") this.#column = 0;
        else if (character === "\b") this.#column = Math.max(0, this.#column - 1);
        else if (character === "\t") {
            const next = (Math.floor(this.#column / TAB) + 1) * TAB;
            while (this.#column < next) this.#write(" ");
        } else if (character >= " " && character !== "\x7f") this.#write(character);
    }

    #write(character) {
        while (this.#line.length < this.#column) this.#line.push(" ");
        this.#line[this.#column] = character;
        this.#column += 1;
    }

    #obey(match) {
        if (/^\x1b\[0?[JK]$/.test(match)) this.#line.length = Math.min(this.#line.length, this.#column);
        else if (match === "\x1b[2K") this.#line = [];
        else if (match === "\x1b[1K") this.#line.fill(" ", 0, this.#column + 1);
    }

    #end() {
        const line = this.line;
        this.#begin();
        return line;
    }

    #begin() {
        this.#line = [];
        this.#column = 0;
    }
}

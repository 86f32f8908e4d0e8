// The operations that are known here: pages of the API, newest first and without a gap between them.

export class OperationPages {
    operations = [];
    /** The path of the page behind the last one; null: there is none. */
    next = null;

    /** Takes the first page as it is now; what is behind it stays, as long as the two meet. */
    renew({ operations, next }) {
        const last = operations.at(-1)?.operation;
        const meeting = this.operations.findIndex((known) => known.operation === last);
        if (meeting < 0) {
            this.operations = operations;
            this.next = next ?? null;
        } else this.operations = [...operations, ...this.operations.slice(meeting + 1)];
    }

    /** Takes the page behind the last one. */
    append({ operations, next }) {
        this.operations = [...this.operations, ...operations];
        this.next = next ?? null;
    }
}

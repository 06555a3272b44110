import { type AuditEntry, type AuditPage, type AuditQuery, type AuditRecord, isAsked } from '../../core/audit.ts';
import { AUDIT_DAYS, AUDIT_RECORDS } from '../../core/limits.ts';
import { type Clock, isoTime } from '../../core/time.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** Who changed what, in a plain list. */
export class AuditLog {
  readonly #clock: Clock;
  #records: AuditRecord[] = [];
  #last = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(entry: AuditEntry): void {
    this.#last += 1;
    this.#records.push({ ...entry, auditId: this.#last });
    if (this.#records.length > AUDIT_RECORDS) this.#records.shift();
  }

  page(query: AuditQuery): AuditPage {
    const found = this.#records
      .filter((record) => query.before === undefined || record.auditId < query.before)
      .filter((record) => isAsked(record, query))
      .toReversed()
      .slice(0, query.limit);
    return { records: found, dropped: this.#last - this.#records.length };
  }

  /** The oldest go while they are too old; one that is younger keeps those behind it. */
  sweep(): void {
    const oldest = isoTime(this.#clock.now() - AUDIT_DAYS * DAY_MS);
    const from = this.#records.findIndex(({ at }) => at >= oldest);
    this.#records = from === -1 ? [] : this.#records.slice(from);
  }
}

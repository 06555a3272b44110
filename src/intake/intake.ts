import { createHash } from 'node:crypto';
import type { AuditDraft } from '../core/audit.ts';
import { newTask } from '../core/change.ts';
import type { CredentialChange } from '../core/credential.ts';
import type { Draft, Json } from '../core/entry.ts';
import { type ErrorCode, type Fault, TrailError } from '../core/error.ts';
import type { EventBatch } from '../core/event.ts';
import { type Level, levelRank } from '../core/level.ts';
import { lostBy } from '../core/loss.ts';
import type { Applied, Batch, DeliveryInput, Intake, PackedBatch, RawBatch, Store, TextBatch } from '../core/ports.ts';
import type { EndedMark, Receipt } from '../core/query.ts';
import type { HiddenBy, Secret } from '../core/redaction.ts';
import type { Status } from '../core/status.ts';
import type { Task, TaskChange, TaskDraft } from '../core/task.ts';
import { type Clock, isoTime, systemClock } from '../core/time.ts';
import type { Delivered, StoredWebhook } from '../core/webhook.ts';
import { maskedAudit } from './audit.ts';
import { CommitGroup } from './commit-group.ts';
import { checkWebhook, maskedDelivery } from './delivery.ts';
import { preparedEvents } from './events.ts';
import { isTooLong, normalise, pieces, type Reading, Refusal } from './normalise.ts';
import { unpacked } from './packed.ts';
import { FAULTS_NAMED, invalidLines, type Parsed, parseBody } from './parse.ts';
import { type Drafting, DraftMasker } from './redact/drafts.ts';
import { createRedactor, type Redactor } from './redact.ts';
import { checkedChange, checkedDraft, checkPlainId, maskedFields } from './task-fields.ts';
import { Tidying } from './tidying.ts';

export interface IntakeOptions {
  /** Lowest level kept for lines of type `log` (default INFO). */
  readonly taskLevel?: Level;
  readonly redactor?: Redactor;
  readonly clock?: Clock;
}

/**
 * The only door. The order of things, written down once:
 *
 *   bytes ─▶ parse ─▶ normalise ─▶ redact ─▶ level gate ─▶ group ─▶ store
 *            invalid_lines, nothing stored     filtered      one fsync for all who wait
 */
export class StoreIntake implements Intake {
  readonly #store: Store;
  readonly #group: CommitGroup;
  readonly #redactor: Redactor;
  readonly #masker: DraftMasker;
  readonly #clock: Clock;
  readonly #tidying: Tidying;
  #lowestRank: number;
  #closed = false;

  constructor(store: Store, options: IntakeOptions = {}) {
    this.#store = store;
    this.#group = new CommitGroup(store);
    this.#tidying = new Tidying(store);
    this.#redactor = options.redactor ?? createRedactor();
    this.#masker = new DraftMasker(this.#redactor);
    this.#clock = options.clock ?? systemClock;
    this.#lowestRank = levelRank(options.taskLevel ?? 'INFO');
  }

  async append(raw: RawBatch): Promise<Receipt> {
    this.#refuseClosed();
    return this.#masker.retryable(async () => this.#group.add(this.#prepare(raw)));
  }

  async createTask(draft: TaskDraft): Promise<Task> {
    this.#refuseClosed();
    const checked = maskedFields(checkedDraft(draft), this.#redactor);
    if (checked.taskId !== undefined) checkPlainId(checked.taskId, this.#redactor);
    return this.#store.createTask(newTask(checked, isoTime(this.#clock.now())));
  }

  async deliver({ delivery, key, task, lines }: DeliveryInput): Promise<Delivered> {
    this.#refuseClosed();
    const draft = task && maskedFields(checkedDraft(task), this.#redactor);
    const batch = task && lines && ({ taskId: task.taskId, body: JSON.stringify(lines), format: 'json' } as const);
    return this.#store.deliver({
      delivery: maskedDelivery(delivery, this.#redactor),
      key,
      task: draft ? newTask(draft, isoTime(this.#clock.now())) : null,
      // Stages say what came in: a payload over a limit is cut.
      batch: batch ? this.#prepareText({ ...batch, captured: true }) : null,
    });
  }

  async applyEvents(events: EventBatch): Promise<readonly Applied[]> {
    this.#refuseClosed();
    const redactor = this.#redactor;
    const sources: Kept['sources'] = new Map();
    const { commit, applied } = preparedEvents(events, {
      redactor,
      // What they say came in from elsewhere: a line over a limit is cut.
      lines: (taskId, entries) => {
        const parsed = entries.map((value, index) => ({ place: index + 1, value }));
        return this.#kept(parsed, { taskId, captured: true, place: 'entry', sources });
      },
    });
    // One turn of the event loop: who came during the commit of events before does not wait for this one too. Lines that were sent
    // before stand before.
    await new Promise((resolve) => setImmediate(resolve));
    await this.#group.settled();
    return applied(await this.#store.applyEvents(commit));
  }

  async setEventPlace(stream: string, place: string | null): Promise<void> {
    this.#refuseClosed();
    await this.#store.setEventPlace(stream, place);
  }

  async saveWebhook(webhook: StoredWebhook, isNew = false): Promise<void> {
    this.#refuseClosed();
    // Before it is checked: a definition that repeats the secret would show it.
    if (webhook.secret !== null) this.#redactor.register(webhook.secret);
    checkWebhook(webhook, this.#redactor);
    await this.#store.saveWebhook(webhook, isNew);
  }

  async deleteWebhook(webhookId: string): Promise<void> {
    this.#refuseClosed();
    await this.#store.deleteWebhook(webhookId);
  }

  async changeTask(taskId: string, change: TaskChange, from?: readonly Status[]): Promise<Task> {
    this.#refuseClosed();
    // Lines that were sent before the end stand before it.
    await this.#group.settled();
    return this.#store.changeTask(taskId, maskedFields(checkedChange(change), this.#redactor), from);
  }

  async deleteTask(taskId: string, by: string): Promise<void> {
    this.#refuseClosed();
    await this.#store.deleteTask(taskId, by);
  }

  async prune(tasks: readonly EndedMark[], by: string): Promise<readonly string[]> {
    this.#refuseClosed();
    return this.#store.prune(tasks, by);
  }

  tidied(): Promise<void> {
    return this.#tidying.done();
  }

  async failVanished(heardBefore: string, limit: number): Promise<readonly string[]> {
    this.#refuseClosed();
    // A line under way is heard of.
    await this.#group.settled();
    return this.#store.failVanished(heardBefore, limit);
  }

  async setTaskLevel(level: Level): Promise<void> {
    this.#lowestRank = levelRank(level);
  }

  async setting(name: string): Promise<Json> {
    const json = await this.#store.setting(name);
    return json === null ? null : (JSON.parse(json) as Json);
  }

  async setSetting(name: string, value: Json): Promise<void> {
    this.#refuseClosed();
    await this.#store.setSetting(name, value === null ? null : this.#redactor.maskJson(JSON.stringify(value)));
  }

  async changeCredentials({ add, ...rest }: CredentialChange): Promise<void> {
    this.#refuseClosed();
    const name = add?.name ? this.#redactor.mask(add.name) : null;
    await this.#store.changeCredentials({ ...rest, ...(add && { add: { ...add, name } }) });
  }

  async audit(draft: AuditDraft): Promise<void> {
    this.#refuseClosed();
    await this.#store.addAudit(maskedAudit(draft, { redactor: this.#redactor, nowMs: this.#clock.now() }));
  }

  async check(): Promise<void> {
    this.#refuseClosed();
    await this.#store.check();
  }

  async hide(values: readonly string[], by?: HiddenBy): Promise<readonly boolean[]> {
    return values.map((value) => this.#redactor.register(value, by));
  }

  mask(text: string): string {
    return this.#redactor.mask(text);
  }

  maskUnended(text: string): string {
    return this.#redactor.maskUnended(text);
  }

  secretsIn(text: string): readonly Secret[] {
    return this.#redactor.find(text);
  }

  async redactions(): Promise<Readonly<Record<string, number>>> {
    return this.#redactor.counts;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#tidying.close();
    await this.#group.settled();
  }

  #prepare(raw: RawBatch): Batch {
    return 'packed' in raw ? this.#preparePacked(raw) : this.#prepareText(raw);
  }

  #prepareText(raw: TextBatch): Batch {
    const { taskId, captured = false, format } = raw;
    const place = format === 'ndjson' ? 'line' : 'entry';
    const kept = this.#kept(parseBody(raw), { taskId, captured, place });
    return { taskId, ...kept, ...(raw.key !== undefined && { key: keyOf(raw.key, raw.body, this.#redactor) }) };
  }

  /** Throws what is wrong with the lines. */
  #kept(lines: readonly Parsed[], { taskId, captured, place, sources = new Map() }: Lines) {
    const reading = { taskId, captured, nowMs: this.#clock.now() };
    const kept: Kept = { taskId, drafts: [], filtered: 0, lost: 0, sources };
    const faults: Fault[] = [];
    let code: ErrorCode = 'invalid_lines';
    for (const line of lines) {
      const draft = normalise(line.value, reading);
      if (draft instanceof Refusal) {
        faults.push({ path: `${place} ${line.place}`, detail: draft.detail });
        // One limit passed again and again is named as such; a mixture is just lines that are wrong.
        code = faults.length === 1 || code === draft.code ? draft.code : 'invalid_lines';
        if (faults.length === FAULTS_NAMED) break;
      } else {
        this.#keep(draft, captured, kept);
      }
    }
    if (faults.length > 0) throw invalidLines(faults, code);
    const { drafts, filtered, lost } = kept;
    return { drafts, filtered, lost };
  }

  #preparePacked({ taskId, packed }: PackedBatch): Batch {
    const kept: Kept = { taskId, drafts: [], filtered: 0, lost: 0, sources: new Map() };
    for (const draft of unpacked(packed)) this.#keep(draft, true, kept);
    const { drafts, filtered, lost } = kept;
    return { taskId, drafts, filtered, lost };
  }

  /** Redact, then the level gate; a captured line over the limit goes on in following ones. */
  #keep(draft: Draft, captured: boolean, kept: Kept): void {
    const masked = this.#masker.mask(draft, kept);
    kept.lost += lostBy(masked.metadataJson);
    if (masked.type === 'log' && levelRank(masked.level) < this.#lowestRank) kept.filtered += 1;
    // What was masked may have become longer than the limit that it was held to.
    else if ((captured || masked !== draft) && isTooLong(masked.message)) kept.drafts.push(...pieces(masked));
    else kept.drafts.push(masked);
  }

  #refuseClosed(): void {
    if (this.#closed) throw new TrailError('store_closed', 'this trail is closed; open it again to write');
  }
}

interface Lines extends Omit<Reading, 'nowMs'> {
  /** What a line is called where it is wrong. */
  readonly place: string;
  readonly sources?: Kept['sources'];
}

interface Kept extends Drafting {
  readonly drafts: Draft[];
  filtered: number;
  lost: number;
}

/** A key that holds a secret is kept as what it is known by again, and no more. */
function keyOf(key: string, body: string | Uint8Array, redactor: Redactor): { value: string; digest: string } {
  if (key.length === 0 || key.length > 255) {
    throw new TrailError('invalid_parameter', `Idempotency-Key: expected 1–255 characters, got ${key.length}`);
  }
  const value = redactor.find(key).length === 0 ? key : `sha256:${digestOf(key)}`;
  return { value, digest: digestOf(body) };
}

function digestOf(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('base64url');
}

import { markOfWire } from '../../core/outline.ts';
import { OutlineTree, type Part } from '../../core/outline-tree.ts';
import { type Api, asProblem, type Problem } from '../lib/api.ts';
import type { TaskLog } from './task-log.svelte.ts';

/** Most parts that are held; of a task with more, the first are shown. */
const PARTS_MAX = 20_000;
/** A running task is asked for new parts at most this often; a server that fails, less often. */
const EVERY_MS = 1_000;
const AGAIN_MS = 5_000;

/**
 * The parts of a task, read from the server in pieces: from the first line to the newest, and on as lines come.
 *
 *   grow() ─▶ reading ─up to date─▶ resting ─grow(), after a pause─▶ reading
 *                └─fault─▶ resting
 */
export class TaskOutline {
  problem = $state.raw<Problem | null>(null);
  /** Every line up to this one is in the tree. */
  scannedTo = $state(0);
  /** There are more parts than are held. */
  cut = $state(false);
  /** Grows with every change of the tree. */
  #version = $state(0);
  readonly #tree = new OutlineTree();
  readonly #api: Api;
  readonly #log: TaskLog;
  readonly #work = new AbortController();
  #state: 'resting' | 'reading' = 'resting';
  #pause: ReturnType<typeof setTimeout> | undefined;
  #ended = false;

  constructor(api: Api, log: TaskLog) {
    this.#api = api;
    this.#log = log;
  }

  get parts(): readonly Part[] {
    this.#version;
    return this.#tree.parts;
  }

  /** How many parts there are. */
  get count(): number {
    this.#version;
    return this.#tree.count;
  }

  /** The task has so many lines now, or has ended. */
  grow(): void {
    if (this.#state === 'reading' || this.#pause !== undefined || this.#work.signal.aborted || this.cut) return;
    if (this.#log.task === null) return;
    if (this.scannedTo < this.#lastSeq) void this.#read();
    else this.#end();
  }

  close(): void {
    this.#work.abort();
    clearTimeout(this.#pause);
  }

  /** The newest line that is known of, be it listed or not. */
  get #lastSeq(): number {
    return Math.max(this.#log.lastSeq, this.#log.task?.log.last_seq ?? 0);
  }

  async #read(): Promise<void> {
    this.#state = 'reading';
    try {
      for (let complete = false; !complete && !this.cut; ) {
        const { signal } = this.#work;
        const answer = await this.#api.outline(this.#log.taskId, this.scannedTo, signal);
        for (const mark of answer.marks) this.#tree.add(markOfWire(mark));
        this.scannedTo = answer.scanned_to;
        this.cut = this.#tree.count > PARTS_MAX;
        complete = answer.complete;
        this.problem = null;
        this.#version += 1;
      }
      this.#rest(EVERY_MS);
    } catch (error) {
      if (this.#work.signal.aborted) return;
      this.problem = asProblem(error);
      this.#rest(AGAIN_MS);
    }
  }

  #rest(pauseMs: number): void {
    this.#state = 'resting';
    this.#end();
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.grow();
    }, pauseMs);
  }

  #end(): void {
    const { task } = this.#log;
    const lastSeq = this.#lastSeq;
    if (this.#ended || !task?.ended || this.scannedTo < lastSeq) return;
    this.#ended = true;
    this.#tree.end(lastSeq, Date.parse(task.completed_at ?? task.updated_at));
    this.#version += 1;
  }
}

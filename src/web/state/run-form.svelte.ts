import type { WireTask } from '../../core/wire.ts';
import type { Api } from '../lib/api.ts';
import { readForm } from '../lib/form-values.ts';
import {
  type Entered,
  entriesFrom,
  faultsByField,
  heldFields,
  initialEntries,
  type ParamField,
} from '../lib/params-form.ts';
import { recalledRun, rememberRun } from '../lib/run-memory.ts';
import { PROMPT, type Runnable } from '../lib/runnable.ts';
import { harmless, NO_LABELS, startRun, unmasked } from '../lib/start-run.ts';
import { Request } from './request.svelte.ts';

/** The form of a plugin or an agent: what is entered, what is wrong with it, and its start. */
export class RunForm {
  readonly runnable: Runnable;
  readonly fields: readonly ParamField[];
  readonly request = new Request();
  entries = $state<Record<string, Entered>>({});
  labels = $state({ ...NO_LABELS });
  /** What is entered was so the last time, or of another task. */
  isRecalled = $state(false);
  readonly #api: Api;
  #own = $state.raw<Readonly<Record<string, string>>>({});
  readonly faults = $derived.by(() => {
    return { ...faultsByField(this.request.problem?.faults ?? [], this.fields), ...this.#own };
  });

  /** @param like  a task that ran it before */
  constructor(api: Api, runnable: Runnable, like: WireTask | null) {
    this.#api = api;
    this.runnable = runnable;
    this.fields = runnable.fields;
    const known = like === null ? recalledRun(runnable) : entriesFrom(this.fields, paramsOf(like));
    this.entries = { ...initialEntries(this.fields), ...this.#fitting(known ?? {}) };
    this.isRecalled = known !== undefined && like === null;
    if (like) this.labels = { title: like.title ?? '', source: like.source, tags: like.tags.join(', ') };
  }

  clear(): void {
    this.entries = initialEntries(this.fields);
    this.isRecalled = false;
    this.#own = {};
    this.request.problem = null;
  }

  /** What is wrong goes as soon as somebody mends it. */
  change(key: string, entered: Entered): void {
    this.entries[key] = entered;
    const { [key]: _, ...others } = this.#own;
    this.#own = others;
  }

  /** Answers the task; undefined when something is wrong, which then stands at its field. */
  async start(): Promise<WireTask | undefined> {
    const entries = $state.snapshot(this.entries) as Record<string, Entered>;
    const { params, faults } = readForm(this.fields, entries);
    this.#own = faults;
    this.request.problem = null;
    if (Object.keys(faults).length > 0) return undefined;
    const task = await this.request.send('run', () => startRun(this.#api, this.runnable, params, this.labels));
    if (task) rememberRun(this.runnable, harmless(this.fields, entries, { sent: params, task }));
    return task;
  }

  /** A plugin may have changed since. */
  #fitting(entries: Readonly<Record<string, Entered>>): Record<string, Entered> {
    const fits = heldFields(this.fields).filter(
      ({ key, kind }) => key in entries && Array.isArray(entries[key]) === (kind === 'list'),
    );
    return Object.fromEntries(fits.map(({ key }) => [key, entries[key] ?? '']));
  }
}

function paramsOf({ params, input }: WireTask) {
  return unmasked({ ...params, ...(input && { [PROMPT]: input.message }) });
}

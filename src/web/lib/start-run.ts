import type { Json, JsonObject } from '../../core/entry.ts';
import type { WireTask } from '../../core/wire.ts';
import type { Api } from './api.ts';
import { type Entered, type Entries, heldFields, type ParamField, valueAt } from './params-form.ts';
import { PROMPT, type Runnable } from './runnable.ts';

/** What a task may be called, and how it is found again. Empty parts are left to the server. */
export interface RunLabels {
  readonly title: string;
  readonly source: string;
  /** Parted by commas. */
  readonly tags: string;
}
export const NO_LABELS: RunLabels = { title: '', source: '', tags: '' };

/** Queue a run of a plugin with its parameters, or of an agent with what it is asked. */
export function startRun(api: Api, { kind, id }: Runnable, params: JsonObject, labels: RunLabels): Promise<WireTask> {
  const tags = tagsOf(labels.tags);
  const [title, source] = [labels.title.trim(), labels.source.trim()];
  const what: JsonObject = kind === 'agent' ? { agent: id, input: params[PROMPT] ?? '' } : { plugin: id, params };
  const named = { ...(title && { title }), ...(source && { source }), ...(tags.length > 0 && { tags }) };
  return api.ask<WireTask>('POST', 'api/tasks', { ...what, ...named });
}

export function tagsOf(text: string): readonly string[] {
  const tags = text.split(',').map((tag) => tag.trim());
  return [...new Set(tags.filter((tag) => tag !== ''))];
}

/** What of a form may be remembered: no secret, and nothing that the server masks. */
export function harmless(
  fields: readonly ParamField[],
  entries: Entries,
  { sent, task }: { readonly sent: JsonObject; readonly task: WireTask },
): Record<string, Entered> {
  const stored = { ...task.params, ...(task.input && { [PROMPT]: task.input.message }) } as JsonObject;
  const kept: Record<string, Entered> = {};
  for (const field of heldFields(fields)) {
    const entered = entries[field.key];
    const value = field.path.length === 0 ? sent : valueAt(sent, field.path);
    const known = field.path.length === 0 ? stored : valueAt(stored, field.path);
    const isPlain = !field.secret && (value === undefined || alike(value, known));
    if (isPlain && entered !== undefined) kept[field.key] = entered;
  }
  return kept;
}

/** The parameters of a task without what was masked in them. */
export function unmasked(params: JsonObject): JsonObject {
  const fine = Object.entries(params).filter(([, value]) => !JSON.stringify(value).includes('[redacted:'));
  return Object.fromEntries(fine) as JsonObject;
}

/** The same JSON; the order in which an object's parts stand does not count. */
function alike(a: Json | undefined, b: Json | undefined): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: Json | undefined): unknown {
  if (Array.isArray(value)) return value.map((each: Json) => sorted(each));
  if (typeof value !== 'object' || value === null) return value;
  const parts = Object.entries(value as JsonObject).sort(([x], [y]) => (x < y ? -1 : 1));
  return parts.map(([name, held]) => [name, sorted(held)]);
}

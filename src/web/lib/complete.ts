/** A field of the query language, for completion. */
export interface FieldHint {
  readonly name: string;
  readonly about: string;
  /** What is usually written behind it; with `<` or `>` it stands in place of the colon. */
  readonly samples?: readonly string[];
}

const TIMES = ['-1h', '-1d', '-7d', '-30d'];

export const TASK_FIELDS: readonly FieldHint[] = [
  { name: 'status', about: 'how the task stands' },
  { name: 'source', about: 'who sent it' },
  { name: 'kind', about: 'its kind' },
  { name: 'agent', about: 'the agent it is assigned to' },
  { name: 'model', about: 'the model it uses' },
  { name: 'tag', about: 'one of its tags' },
  { name: 'task', about: 'its id' },
  { name: 'cost', about: 'US dollars', samples: ['>1', '>0.1', '<0.1'] },
  { name: 'dur', about: 'how long it took', samples: ['>10m', '>1h', '<10s'] },
  { name: 'after', about: 'made since', samples: TIMES },
  { name: 'before', about: 'made before', samples: TIMES },
];

/** Fields of lines, and of the tasks that they belong to. */
export const LINE_FIELDS: readonly FieldHint[] = [
  { name: 'level', about: 'its level', samples: ['error', 'warning', '>=warning', 'info', 'debug'] },
  { name: 'source', about: 'where it is from' },
  { name: 'type', about: 'what kind of line' },
  { name: 'stream', about: 'stdout or stderr', samples: ['stderr', 'stdout'] },
  { name: 'meta.', about: 'a value of its metadata', samples: [] },
  ...TASK_FIELDS.filter(({ name }) => name !== 'source').map((field) => ({
    ...field,
    about: `its task: ${field.about}`,
  })),
];

/** How often the values of a field are there. */
export type KnownValues = Readonly<Record<string, Readonly<Record<string, number>> | undefined>>;

export interface Option {
  /** What stands in the list. */
  readonly text: string;
  /** What it puts in place of `from`–`to`. */
  readonly insert: string;
  readonly about?: string;
  readonly count?: number;
}

export interface Completion {
  readonly from: number;
  readonly to: number;
  readonly options: readonly Option[];
}

/** A word up to the caret: quotes hold its spaces, and a minus or parentheses before it do not belong to it. */
const WORD = /(?:"(?:[^"\\]|\\.)*"?|[^\s"])*$/;
const BEFORE = /^[-(]*/;
const FIELD = /^([a-z]+)(:[<>]?=?|[<>]=?)(.*)$/s;
const OPTIONS = 10;
const PLAIN_VALUE = /^[\p{L}\p{N}_.+:-]+$/u;

/** What may be meant by the word before the caret: a field, or a value of the field that stands there already. */
export function completionAt(
  text: string,
  caret: number,
  { fields, values }: { readonly fields: readonly FieldHint[]; readonly values: KnownValues },
): Completion | null {
  const whole = WORD.exec(text.slice(0, caret))?.[0] ?? '';
  const word = whole.replace(BEFORE, '');
  const asked = FIELD.exec(word);
  const field = fields.find(({ name }) => name === asked?.[1]);
  if (asked && !field) return null;
  const to = caret + (/^[^\s,()]*/.exec(text.slice(caret))?.[0].length ?? 0);
  if (!asked) return some(caret - word.length, to, fieldOptions(word, fields));
  const [, , test = ':', written = ''] = asked;
  if (field?.samples) return some(caret - test.length - written.length, to, sampleOptions(field, test + written));
  const started = written.slice(written.lastIndexOf(',') + 1);
  return some(caret - started.length, to, valueOptions(started, values[field?.name ?? ''] ?? {}));
}

/** Whole texts that were searched for before and begin like this one, in place of all of it. */
export function historyAt(text: string, earlier: readonly string[]): Completion | null {
  const begun = text.trimStart().toLowerCase();
  const known = earlier.filter((each) => each !== text && each.toLowerCase().startsWith(begun));
  return some(
    0,
    text.length,
    known.slice(0, OPTIONS).map((each) => ({ text: each, insert: each, about: 'searched before' })),
  );
}

/** The text with the option in place, and where the caret goes. A value is done, so a space follows. */
export function completed(text: string, { from, to }: Completion, { insert }: Option): { text: string; caret: number } {
  const rest = text.slice(to);
  const isOpen = /[:<>]$/.test(insert);
  const gap = isOpen || /^[\s)]/.test(rest) ? '' : ' ';
  const head = text.slice(0, from) + insert + gap;
  return { text: head + rest, caret: head.length + (gap === '' && !isOpen && rest.startsWith(' ') ? 1 : 0) };
}

function some(from: number, to: number, options: readonly Option[]): Completion | null {
  return options.length > 0 ? { from, to, options: options.slice(0, OPTIONS + 4) } : null;
}

function fieldOptions(word: string, fields: readonly FieldHint[]): readonly Option[] {
  return fields
    .filter(({ name }) => name.startsWith(word.toLowerCase()))
    .map(({ name, about, samples }) => {
      const glyph = samples?.[0]?.match(/^[<>]/)?.[0] ?? ':';
      return { text: name + glyph, insert: name + glyph, about };
    });
}

function sampleOptions({ samples = [] }: FieldHint, written: string): readonly Option[] {
  const plain = written.replace(/^:/, '');
  return samples
    .filter((sample) => sample.startsWith(plain) && sample !== plain)
    .map((sample) => ({ text: sample, insert: /^[<>]/.test(sample) ? sample : `:${sample}` }));
}

function valueOptions(started: string, counts: Readonly<Record<string, number>>): readonly Option[] {
  const wanted = started.replaceAll('"', '').toLowerCase();
  const found = Object.entries(counts).filter(([value]) => value.toLowerCase().includes(wanted));
  const begins = (value: string): number => Number(value.toLowerCase().startsWith(wanted));
  return found
    .sort(([a, n], [b, m]) => begins(b) - begins(a) || m - n)
    .slice(0, OPTIONS)
    .map(([value, count]) => ({ text: value, insert: valueText(value), count }))
    .filter(({ insert }) => insert !== started);
}

/** A value as it stands in a query. */
function valueText(value: string): string {
  return PLAIN_VALUE.test(value) ? value : `"${value.replaceAll(/["\\]/g, '\\$&')}"`;
}

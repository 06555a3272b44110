import type { WireCondition } from '../../core/wire-webhook.ts';

/** How a condition's test is called in its row; `json` holds what no row can show. */
export const TESTS = [
  'exists',
  'equals',
  'contains',
  'in',
  'matches',
  'not exists',
  'not equals',
  'not contains',
  'not in',
  'not matches',
  'json',
] as const;
export type TestName = (typeof TESTS)[number];

/** A condition as a row of a form. */
export interface ConditionDraft {
  path: string;
  test: TestName;
  value: string;
}

export function newCondition(): ConditionDraft {
  return { path: '', test: 'equals', value: '' };
}

/** The row of a condition with one test; one with several stays JSON. */
export function draftOfCondition(condition: WireCondition): ConditionDraft {
  const { path, ...tests } = condition;
  const asJson: ConditionDraft = { path, test: 'json', value: JSON.stringify(tests) };
  const isNot = Object.keys(tests).join() === 'not';
  const own: unknown = isNot ? tests.not : tests;
  const [[name, wanted] = [], ...others] = typeof own === 'object' && own !== null ? Object.entries(own) : [];
  const test = TESTS.find((known) => known === (isNot ? `not ${name}` : name));
  if (test === undefined || test === 'json' || others.length > 0) return asJson;
  const row = { path, test, value: valueText(name ?? '', wanted) };
  return JSON.stringify(conditionOf(row)) === JSON.stringify(condition) ? row : asJson;
}

/** What the row says, as the server takes it. JSON that is none goes as a test that the server refuses by name. */
export function conditionOf({ path, test, value }: ConditionDraft): WireCondition {
  const place = path.trim();
  if (test === 'json') return { path: place, ...testsOf(value) };
  const name = test.replace('not ', '');
  const wanted = wantedOf(name, value);
  return test.startsWith('not ') ? { path: place, not: { [name]: wanted } } : { path: place, [name]: wanted };
}

function testsOf(text: string): object {
  try {
    const tests: unknown = JSON.parse(text);
    if (typeof tests === 'object' && tests !== null && !Array.isArray(tests)) return tests;
  } catch {
    // Said below.
  }
  return { json: text };
}

function wantedOf(name: string, text: string): unknown {
  if (name === 'exists') return text.trim() !== 'false';
  if (name === 'matches') return text;
  if (name !== 'in') return scalarOf(text);
  const whole = parsed(text);
  return Array.isArray(whole) ? whole : text.split(',').map((part) => scalarOf(part.trim()));
}

/** `3`, `true`, `null` and text in quotes are what they are in JSON; anything else is text. */
function scalarOf(text: string): unknown {
  const value = parsed(text);
  return typeof value === 'object' && value !== null ? text : (value ?? (text.trim() === 'null' ? null : text));
}

function valueText(name: string, value: unknown): string {
  if (name === 'in' && Array.isArray(value)) {
    const simple = value.map((one) => scalarText(one));
    return simple.some((part) => /[,\s]/.test(part)) || simple.length === 0 ? JSON.stringify(value) : simple.join(', ');
  }
  return name === 'matches' ? String(value) : scalarText(value);
}

function scalarText(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value) ?? '';
  return scalarOf(value) === value ? value : JSON.stringify(value);
}

/** Undefined for what is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

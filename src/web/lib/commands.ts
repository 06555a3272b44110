import { checkTaskId } from '../../core/id.ts';
import type { WireTask } from '../../core/wire.ts';
import { fuzzyFind } from './fuzzy.ts';

/** Something to choose from the palette. */
export interface Command {
  readonly id: string;
  readonly text: string;
  readonly about: string;
  /** The key that does the same. */
  readonly key?: string;
  run(): void;
}

/** What the palette offers for what was typed, in groups; a group without one is left out. */
export interface Offer {
  readonly title: string;
  readonly commands: readonly Command[];
}

export interface Sources {
  readonly actions: readonly Command[];
  readonly tasks: readonly Command[];
  /** Go to a task by its id, and search the lines, for what was typed. */
  readonly goTo: (taskId: string) => Command;
  readonly search: ((text: string) => Command) | null;
}

const ACTIONS = 8;
const TASKS = 8;

/** Before anything is typed: recent tasks, and all actions. */
export function offersFor(typed: string, { actions, tasks, goTo, search }: Sources): readonly Offer[] {
  const text = typed.trim();
  const found = fuzzyFind(text, tasks, { text: wordsOf, most: TASKS });
  const done = fuzzyFind(text, actions, { text: ({ text }) => text, most: text === '' ? actions.length : ACTIONS });
  const isKnown = found.some(({ id }) => id === goTo(text).id);
  const more =
    text === '' ? [] : [...(isTaskId(text) && !isKnown ? [goTo(text)] : []), ...(search ? [search(text)] : [])];
  return [
    { title: text === '' ? 'Recent tasks' : 'Tasks', commands: found },
    { title: 'Actions', commands: done },
    { title: 'Elsewhere', commands: more },
  ].filter(({ commands }) => commands.length > 0);
}

/** The query that finds tasks by a text as it was typed. */
export function taskQuery(typed: string): string {
  return `"${typed.trim().replaceAll(/["\\]/g, '\\$&')}"`;
}

/** Tasks without doubles, the first of each stays. */
export function distinct(tasks: readonly WireTask[]): readonly WireTask[] {
  return [...new Map(tasks.toReversed().map((task) => [task.task_id, task])).values()].toReversed();
}

function wordsOf({ text, about }: Command): string {
  return `${text} ${about}`;
}

/** A plain word is an id too, but hardly one that somebody types. */
function isTaskId(text: string): boolean {
  if (!/[\d_.:-]/.test(text)) return false;
  try {
    return checkTaskId(text) === text;
  } catch {
    return false;
  }
}

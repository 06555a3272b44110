import { isPressing, isTyping } from './keys.ts';

/** What a key asks of the list of tasks. */
export type ListAct =
  | 'filter'
  | 'down'
  | 'up'
  | 'open'
  | 'peek'
  | 'pick'
  | 'range'
  | 'reload'
  | 'sort'
  | 'turn'
  | 'leave';

const ACTS: Readonly<Record<string, ListAct>> = {
  '/': 'filter',
  j: 'down',
  ArrowDown: 'down',
  k: 'up',
  ArrowUp: 'up',
  Enter: 'open',
  ' ': 'peek',
  x: 'pick',
  X: 'range',
  r: 'reload',
  o: 'sort',
  O: 'turn',
  Escape: 'leave',
};

/** Undefined: the key is not for the list, or would press what has the focus. */
export function listAct(event: KeyboardEvent): ListAct | undefined {
  if (event.defaultPrevented || isTyping(event) || event.ctrlKey || event.metaKey || event.altKey) return undefined;
  const act = ACTS[event.key];
  if (act === 'open' && isPressing(event)) return undefined;
  const isControl = event.target instanceof Element && event.target.closest('button, input, summary') !== null;
  if (act === 'peek' && isControl) return undefined;
  return act;
}

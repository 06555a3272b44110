import { nearest } from '../core/nearest.ts';
import { FIELDS } from './terms.ts';

const PREFIX = /^([A-Za-z_]{2,20})(?:[:<>])(?=[^\s/])/;

/** What people call a field elsewhere. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  ...{ lvl: 'level', severity: 'level', min_level: 'level', src: 'source', task_id: 'task', id: 'task' },
  ...{ since: 'after', from: 'after', until: 'before', to: 'before', time: 'after' },
  ...{ duration: 'dur', cost_usd: 'cost', price: 'cost', label: 'tag', metadata: 'meta', meta: 'meta' },
};

/** The field that a word most likely means whose prefix is none: `lvl:error`. */
export function meantField(word: string): { readonly name: string; readonly meant: string } | undefined {
  const [prefix = '', name = ''] = PREFIX.exec(word) ?? [];
  if (name === '') return undefined;
  const folded = name.toLowerCase();
  const field = Object.hasOwn(OTHER_NAMES, folded)
    ? OTHER_NAMES[folded]
    : nearest(folded, FIELDS, folded.length > 4 ? 2 : 1);
  return field ? { name: prefix, meant: field === 'meta' ? 'meta.key:' : `${field}:` } : undefined;
}

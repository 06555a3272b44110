const DAYS_MAX = 36_500;
const UNITS: Readonly<Record<string, number>> = { '': 1, b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12 };

/** What a person types to try other rules; an empty field means the setting. */
export interface RetentionDraft {
  readonly days: string;
  readonly limit: string;
}

export interface RetentionRules {
  readonly older_than_days?: number;
  readonly max_bytes?: number;
}

/** The rules, or what is wrong with each field. */
export function readRules({ days, limit }: RetentionDraft): {
  readonly rules: RetentionRules;
  readonly faults: Partial<Record<keyof RetentionDraft, string>>;
} {
  const ofDays = days.trim() === '' ? undefined : readDays(days.trim());
  const ofLimit = limit.trim() === '' ? undefined : readBytes(limit.trim());
  return {
    rules: {
      ...(typeof ofDays === 'number' && { older_than_days: ofDays }),
      ...(typeof ofLimit === 'number' && { max_bytes: ofLimit }),
    },
    faults: {
      ...(ofDays === null && { days: `expected whole days, 0–${DAYS_MAX}` }),
      ...(ofLimit === null && { limit: 'expected a size of at least one byte, such as 10 GB or 500 MB' }),
    },
  };
}

function readDays(text: string): number | null {
  const days = Number(text);
  return /^\d{1,5}$/.test(text) && days <= DAYS_MAX ? days : null;
}

/** `10 GB`, `1.5gb`, `500000`; null for anything else. */
function readBytes(text: string): number | null {
  const [, figure = '', unit = ''] = /^(\d{1,15}(?:\.\d{1,6})?)\s*([a-z]*)$/i.exec(text) ?? [];
  const times = UNITS[unit.toLowerCase()];
  if (figure === '' || times === undefined) return null;
  const bytes = Math.round(Number(figure) * times);
  return bytes >= 1 && bytes <= Number.MAX_SAFE_INTEGER ? bytes : null;
}

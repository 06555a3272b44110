/** The sections of the settings, as the index beside them lists them. */
export const SECTION_GROUPS = [
  {
    title: 'Server',
    sections: [
      { id: 'logging', name: 'Logging' },
      { id: 'redaction', name: 'Redaction' },
      { id: 'retention', name: 'Retention' },
      { id: 'storage', name: 'Storage' },
      { id: 'limits', name: 'Limits' },
    ],
  },
  {
    title: 'Connections',
    sections: [
      { id: 'webhooks', name: 'Webhooks' },
      { id: 'alerts', name: 'Alerts' },
      { id: 'tokens', name: 'Access tokens' },
      { id: 'audit', name: 'Audit' },
    ],
  },
  {
    title: 'Here',
    sections: [
      { id: 'appearance', name: 'Appearance' },
      { id: 'keyboard', name: 'Keyboard' },
      { id: 'about', name: 'About' },
    ],
  },
] as const;

export type SectionId = (typeof SECTION_GROUPS)[number]['sections'][number]['id'];

const IDS: readonly SectionId[] = SECTION_GROUPS.flatMap(({ sections }) => sections.map(({ id }) => id));

/** The section that an address means: `#redaction`, `?section=redaction`, or the one that its other parameters belong to. */
export function sectionOf(hash: string, params: URLSearchParams): SectionId {
  const named = [hash.replace(/^#/, ''), params.get('section')];
  const known = named.map((name) => IDS.find((id) => id === name)).find((id) => id !== undefined);
  return known ?? (params.has('webhook') ? 'webhooks' : 'logging');
}

import { type Row, type Section, shown } from '../section.ts';

const NAME = 'openTaskDirectory';

function row(what: string, figure: string): Row {
  return { what, value: (median) => median(NAME, figure), show: shown(' ms', 3), peer: true };
}

export const directory: Section = {
  name: 'directory',
  title: 'Files of a task',
  about: `Single awaited writes of [\`openTaskDirectory\`](task-directory.md): documents are written to a temporary file, fsynced and renamed, lines
are appended. What directories cost a server that takes lines in is the column “on” of the other sections.`,
  rounds: 3,
  variants: [{ name: NAME, script: 'directory.ts' }],
  rows: [
    row('a document', 'documentMs'),
    row('a document, p99', 'documentP99Ms'),
    row('metadata, merged', 'metadataMs'),
    row('metadata, merged, p99', 'metadataP99Ms'),
    row('a line', 'lineMs'),
    row('a line, p99', 'lineP99Ms'),
  ],
};

// Literals for queries. Values reach SQL only through here, after they have been validated; the embedded engine answers
// bound parameters one at a time, so literals also keep readers from waiting for each other.

/** Text in single quotes, as ClickHouse reads it. */
export function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, (character) => `\\${character}`)}'`;
}

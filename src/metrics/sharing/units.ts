// What the sharing metrics count: shares and links, each one row of a roll-up with everything that came of it.

/** Shares and links in one shape. Instants are milliseconds since 1970, null when it has not happened. */
export interface Unit {
  readonly id: string;
  /** The moment that dates it: a share's completion, a link's minting. */
  readonly at: number | null;
  /** Who shared, and where in the log: a later withdrawal of consent takes the unit out. */
  readonly sharer: string;
  readonly position: bigint;
  readonly channel: string;
  readonly content: string;
  readonly creator: string;
  readonly destinationClass: string;
  readonly evidence: string;
  /** Where a later hint says it went; '' without one. */
  readonly reclassified: string;
  readonly firstAnswerAt: number | null;
  readonly firstClickBackAt: number | null;
}
export type UnitColumn = Exclude<keyof Unit, 'id' | 'at' | 'sharer' | 'position'>;
export type UnitName = 'share' | 'link';

const moment = (column: string) => `toUnixTimestamp64Milli(min(${column}))`;

/** For each unit, its roll-up and how a merged row of it reads as a Unit. */
export const unitTables: Readonly<
  Record<UnitName, { readonly table: string; readonly id: string; readonly columns: Readonly<Record<string, string>> }>
> = {
  share: {
    table: 'share_facts',
    id: 'share_id',
    columns: {
      at: moment('completed_at'),
      sharer: 'max(sharer_id)',
      position: 'max(completed_at_position)',
      channel: 'max(destination)',
      content: 'max(content_id)',
      creator: 'max(creator_id)',
      destinationClass: 'max(destination_class)',
      evidence: 'max(channel_evidence)',
      reclassified: 'argMaxMerge(reclassified)',
      firstAnswerAt: moment('first_answer_at'),
    },
  },
  link: {
    table: 'link_facts',
    id: 'link_id',
    columns: {
      at: moment('minted_at'),
      sharer: 'max(sharer_id)',
      position: 'max(minted_at_position)',
      channel: 'max(destination)',
      content: 'max(content_id)',
      creator: 'max(creator_id)',
      firstClickBackAt: moment('first_click_back_at'),
    },
  },
};

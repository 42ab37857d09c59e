// Marks a field of an event as personal: the codec encrypts it with the key of the person it is about.
import { z } from 'zod';

interface PersonalMark {
  /** Name of the top-level field of the same event that holds the id of the person the value is about. */
  readonly about: string;
}
const marks = z.registry<PersonalMark>();

/** A text about the person whose id stands in field `about`. It is optional on read: once the key is gone, so is the text. */
export function personal<Schema extends z.ZodType>(schema: Schema, about: string): z.ZodOptional<Schema> {
  const field = z.optional(schema);
  marks.add(field, { about });
  return field;
}

/** The personal top-level fields of an event schema: field name → name of the field with the person's id. */
export function personalFields(schema: z.ZodType): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  if (schema instanceof z.ZodObject) {
    for (const [name, field] of Object.entries(schema.shape)) {
      const mark = marks.get(field as z.ZodType);
      if (mark) found.set(name, mark.about);
    }
  }
  return found;
}

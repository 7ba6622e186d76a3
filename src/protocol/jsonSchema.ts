import { z } from 'zod';

/** JSON Schemas of messages, by their `type`. */
export type MessageSchemas = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Messages that are told apart by their `type`. */
export type Messages = {
  readonly options: readonly (z.ZodType & { readonly shape: { readonly type: z.ZodLiteral<string> } })[];
};

/**
 * Returns the JSON Schemas (draft 7, which AsyncAPI builds on) of what may be sent. Fields that a schema does not name are
 * allowed, since readers ignore them. Rules that JSON Schema cannot say, such as sums, are left out.
 */
export function toJsonSchemas({ options }: Messages): MessageSchemas {
  return Object.fromEntries(options.map((message) => [message.shape.type.value, toJsonSchema(message)]));
}

function toJsonSchema(message: z.ZodType): Record<string, unknown> {
  const { $schema: _, ...schema } = z.toJSONSchema(message, {
    target: 'draft-7',
    io: 'input',
    override: ({ jsonSchema }) => {
      delete jsonSchema.readOnly;
    },
  });
  return schema;
}

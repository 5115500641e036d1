// Plugin of GraphQL Code Generator. Writes operations as plain strings with the types of their result and variables, so that
// a client needs neither graphql nor parsed documents at run time. (`typed-document-node` in its string mode writes objects,
// and imports a package for their type.)
import { print } from 'graphql';
import { collectDefinitions, listUsedFragments } from './codegen-operations.js';

export function plugin(_schema, documents) {
  const { fragments, operations } = collectDefinitions(documents);
  return {
    prepend: ["import type { TypedDocument } from '../typed-document.js';"],
    content: [
      ...[...fragments].map(([name, fragment]) => `const ${toTextName(name)} = ${toLiteral(print(fragment))};`),
      ...operations.map((operation) => {
        const name = operation.name.value;
        const type = `${name}${operation.operation[0].toUpperCase()}${operation.operation.slice(1)}`;
        const used = [...listUsedFragments(operation, fragments)].map((fragment) => `\n\${${toTextName(fragment)}}`);
        const text = toLiteral(print(operation)).replace(/`$/, `${used.join('')}\``);
        return `export const ${name}Document: TypedDocument<${type}, ${type}Variables> = ${text};`;
      }),
    ].join('\n\n'),
  };
}

/** Returns the name of a fragment's text constant, which differs from the name of the fragment's type. */
function toTextName(fragment) {
  return `${fragment[0].toLowerCase()}${fragment.slice(1)}Text`;
}

function toLiteral(text) {
  return `\`${text.replace(/[`\\]|\$(?=\{)/g, '\\$&')}\``;
}

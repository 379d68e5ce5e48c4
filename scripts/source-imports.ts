/**
 * What a TypeScript source imports and which ambient names it uses, read from its syntax tree.
 * Knows nothing of packages or ranks.
 */
import ts from "typescript59";

export interface Import {
  readonly specifier: string;
  readonly line: number;
  /** Gone after type stripping: cannot take part in a load cycle. */
  readonly typeOnly: boolean;
  /** What it takes by name, as the other side calls it; undefined when it takes everything. */
  readonly names: readonly string[] | undefined;
}

export interface SourceFacts {
  readonly imports: readonly Import[];
  /** Ambient names used as values, such as `Date.now` or `setTimeout`, and imports of what is named while running. */
  readonly ambient: readonly { readonly name: string; readonly line: number }[];
  readonly exportStars: readonly number[];
  /** Values, not types, that the source exports by name. */
  readonly exports: readonly { readonly name: string; readonly line: number }[];
}

const ambientNames = new Set([
  "setTimeout",
  "setInterval",
  "setImmediate",
  "clearTimeout",
  "clearInterval",
  "clearImmediate",
  "performance",
  "process",
  "Buffer",
  "console",
  "fetch",
  "crypto",
  "require",
  "global",
  "WebSocket",
  "Worker",
  "navigator",
  "alert",
  "localStorage",
  "XMLHttpRequest",
  "__dirname",
  "__filename",
]);

export function readSource(path: string, text: string): SourceFacts {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const imports: Import[] = [];
  const ambient: { name: string; line: number }[] = [];
  const exportStars: number[] = [];
  const exports: { name: string; line: number }[] = [];
  const declared = new Set<string>();
  const lineOf = (node: ts.Node): number =>
    file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;

  const addImport = (
    specifier: ts.Node | undefined,
    typeOnly: boolean,
    names?: readonly string[],
  ): void => {
    if (specifier !== undefined && ts.isStringLiteralLike(specifier)) {
      imports.push({ specifier: specifier.text, line: lineOf(specifier), typeOnly, names });
    }
  };

  const visit = (node: ts.Node): void => {
    for (const name of exportedValues(node)) exports.push({ name: name.text, line: lineOf(name) });
    if (ts.isImportDeclaration(node))
      addImport(node.moduleSpecifier, isTypeOnlyImport(node), importedNames(node));
    else if (ts.isExportDeclaration(node)) {
      addImport(node.moduleSpecifier, isTypeOnlyExport(node), namesOf(node.exportClause));
      if (node.exportClause === undefined) exportStars.push(lineOf(node));
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      const name = node.qualifier?.getText(file).split(".")[0];
      addImport(node.argument.literal, true, name === undefined ? undefined : [name]);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [specifier] = node.arguments;
      addImport(specifier, false);
      if (specifier === undefined || !ts.isStringLiteralLike(specifier))
        ambient.push({ name: "import() of an expression", line: lineOf(node) });
    } else if (ts.isExternalModuleReference(node)) addImport(node.expression, false);
    else {
      const name = ambientUse(node);
      if (name !== undefined) ambient.push({ name, line: lineOf(node) });
      collectDeclaration(node, declared);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return {
    imports,
    exportStars,
    exports,
    ambient: ambient.filter(({ name }) => !declared.has(name)),
  };
}

function isTypeOnlyImport(node: ts.ImportDeclaration): boolean {
  const clause = node.importClause;
  if (clause === undefined) return false;
  if (clause.isTypeOnly) return true;
  const named = clause.namedBindings;
  return (
    clause.name === undefined &&
    named !== undefined &&
    ts.isNamedImports(named) &&
    named.elements.length > 0 &&
    named.elements.every((element) => element.isTypeOnly)
  );
}

function isTypeOnlyExport(node: ts.ExportDeclaration): boolean {
  const clause = node.exportClause;
  return (
    node.isTypeOnly ||
    (clause !== undefined &&
      ts.isNamedExports(clause) &&
      clause.elements.length > 0 &&
      clause.elements.every((element) => element.isTypeOnly))
  );
}

function importedNames({ importClause }: ts.ImportDeclaration): readonly string[] | undefined {
  if (importClause === undefined) return [];
  const { name, namedBindings } = importClause;
  const named = namedBindings === undefined ? [] : namesOf(namedBindings);
  return named === undefined ? undefined : [...(name === undefined ? [] : ["default"]), ...named];
}

/** Undefined for `* as x`, and for `export *` where there is no clause. */
function namesOf(
  clause: ts.NamedImportBindings | ts.NamedExportBindings | undefined,
): readonly string[] | undefined {
  if (clause === undefined || !("elements" in clause)) return undefined;
  return clause.elements.map((element) => (element.propertyName ?? element.name).text);
}

function exportedValues(node: ts.Node): readonly ts.Identifier[] {
  if (ts.isExportSpecifier(node)) {
    const isType = node.isTypeOnly || node.parent.parent.isTypeOnly;
    return isType || !ts.isIdentifier(node.name) ? [] : [node.name];
  }
  const isExported =
    ts.canHaveModifiers(node) &&
    ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true;
  if (!isExported) return [];
  if (ts.isVariableStatement(node))
    return node.declarationList.declarations.map(({ name }) => name).filter(ts.isIdentifier);
  const isNamed = ts.isFunctionDeclaration(node) || ts.isClassDeclaration(node);
  return isNamed && node.name !== undefined ? [node.name] : [];
}

/** The impure thing this very node does, if any. `new Date(ms)` and `instanceof Date` tell no time and are fine. */
function ambientUse(node: ts.Node): string | undefined {
  if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) {
    const path = `${node.expression.text}.${node.name.text}`;
    if (path === "Date.now" || path === "Math.random") return path;
    if (node.expression.text === "globalThis" && ambientNames.has(node.name.text)) return path;
  }
  if (
    ts.isNewExpression(node) &&
    isNamed(node.expression, "Date") &&
    (node.arguments?.length ?? 0) === 0
  ) {
    return "new Date()";
  }
  if (ts.isCallExpression(node) && isNamed(node.expression, "Date")) return "Date()";
  if (ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword)
    return "import.meta";
  if (ts.isIdentifier(node) && ambientNames.has(node.text) && isValueUse(node)) return node.text;
  return undefined;
}

function isNamed(node: ts.Node, name: string): boolean {
  return ts.isIdentifier(node) && node.text === name;
}

/** False for property names, labels, types and declarations. */
function isValueUse(node: ts.Identifier): boolean {
  const parent = node.parent;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (ts.isShorthandPropertyAssignment(parent)) return true;
  if (ts.isExportSpecifier(parent) || ts.isImportSpecifier(parent) || ts.isBindingElement(parent))
    return false;
  if (ts.isTypeNode(parent) || ts.isTypeElement(parent) || ts.isQualifiedName(parent)) return false;
  if (
    (ts.isClassElement(parent) || ts.isPropertyAssignment(parent) || ts.isEnumMember(parent)) &&
    parent.name === node
  ) {
    return false;
  }
  return !isDeclarationName(node);
}

function isDeclarationName(node: ts.Identifier): boolean {
  const parent = node.parent;
  return (
    (ts.isVariableDeclaration(parent) ||
      ts.isParameter(parent) ||
      ts.isFunctionDeclaration(parent) ||
      ts.isFunctionExpression(parent) ||
      ts.isClassDeclaration(parent)) &&
    parent.name === node
  );
}

function collectDeclaration(node: ts.Node, declared: Set<string>): void {
  if (ts.isIdentifier(node)) {
    const parent = node.parent;
    const bound = ts.isBindingElement(parent) && parent.name === node;
    if (bound || ts.isImportSpecifier(parent) || isDeclarationName(node)) declared.add(node.text);
  }
}

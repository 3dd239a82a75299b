/** Where in an INI file something is written, for errors about it. */
export interface Place {
  readonly setting: string
  readonly file: string
  readonly line: number | undefined
}

/** What a section of a composite INI file describes, with what it leads to. A section that several others name is one object. */
export type Part = MapPart | SessionPart | AppPart | FilterPart

/** `use = urlmap` */
export interface MapPart {
  readonly kind: 'map'
  /** By prefix, in the file's order. */
  readonly routes: ReadonlyMap<string, Part>
}

/** `use = session`, or a section with `session.*` of its own. */
export interface SessionPart {
  readonly kind: 'session'
  /** The section that holds the settings: `filter-app:main`. */
  readonly section: string
  readonly place: Place
  readonly next: Part
}

/** `use = ./apps/home.js` in an `[app:…]` */
export interface AppPart {
  readonly kind: 'app'
  readonly module: ModuleUse
}

/** `use = ./filters/log.js` in a `[filter:…]` or `[filter-app:…]` */
export interface FilterPart {
  readonly kind: 'filter'
  readonly module: ModuleUse
  readonly next: Part
}

/** An export of a module. */
export interface ModuleUse {
  /** As it stands in the file: `./apps/home.js#makeHome()`. */
  readonly written: string
  readonly path: string
  /** The export's name: `default`, or what stands behind the "#". */
  readonly name: string
  /** "()" at the end: it is not the handler, but makes it. */
  readonly isCalled: boolean
  /** The other keys of the section. */
  readonly options: Readonly<Record<string, string>>
  readonly place: Place
}

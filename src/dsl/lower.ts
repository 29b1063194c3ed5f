export class Lowering { }

package sqltx

import (
	"database/sql/driver"
	"fmt"
)

// convert converts arguments as database/sql does for a prepared statement: by the statement's own checker, else by the
// connection's, then by the statement's column converter, then by default.
func convert(in driver.Conn, s driver.Stmt, raw []driver.NamedValue) ([]driver.NamedValue, error) {
	check, ok := s.(driver.NamedValueChecker)
	if !ok {
		check, _ = in.(driver.NamedValueChecker)
	}
	columns, _ := s.(driver.ColumnConverter) //nolint:staticcheck // Drivers of old have nothing else.
	args := make([]driver.NamedValue, 0, len(raw))
	for _, nv := range raw {
		nv.Ordinal = len(args) + 1
		err := driver.ErrSkip
		if check != nil {
			err = check.CheckNamedValue(&nv)
		}
		if err == driver.ErrSkip && columns != nil { //nolint:errorlint // The driver's contract is this very value.
			err = byColumn(columns, s.NumInput(), &nv)
		}
		if err == driver.ErrSkip { //nolint:errorlint // The driver's contract is this very value.
			nv.Value, err = driver.DefaultParameterConverter.ConvertValue(nv.Value)
		}
		switch {
		case err == driver.ErrRemoveArgument: //nolint:errorlint // The driver's contract is this very value.
		case err != nil:
			return nil, fmt.Errorf("sql: converting argument %s type: %w", describe(&nv), err)
		default:
			args = append(args, nv)
		}
	}
	return args, nil
}

func byColumn(columns driver.ColumnConverter, inputs int, nv *driver.NamedValue) error { //nolint:staticcheck // As above.
	i := nv.Ordinal - 1
	if inputs >= 0 && i >= inputs {
		return nil // One too many, which is told when all are counted.
	}
	if _, ok := nv.Value.(driver.Valuer); ok {
		v, err := driver.DefaultParameterConverter.ConvertValue(nv.Value)
		if err != nil {
			return err
		}
		nv.Value = v
	}
	given := nv.Value
	v, err := columns.ColumnConverter(i).ConvertValue(given)
	if err != nil {
		return err
	}
	nv.Value = v
	if !driver.IsValue(v) {
		return fmt.Errorf("driver ColumnConverter error converted %T to unsupported type %T", given, v)
	}
	return nil
}

// count checks that a statement gets as many arguments as it has parameters, where its driver can tell.
func count(s driver.Stmt, args []driver.NamedValue) error {
	if want := s.NumInput(); want >= 0 && len(args) != want {
		return fmt.Errorf("sql: expected %d arguments, got %d", want, len(args))
	}
	return nil
}

func describe(nv *driver.NamedValue) string {
	if nv.Name == "" {
		return fmt.Sprintf("$%d", nv.Ordinal)
	}
	return fmt.Sprintf("with name %q", nv.Name)
}

package build

import (
	"context"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"

	"lintas/agent/placement"
)

// Postgres reads placements from a PostgreSQL query, row by row, in the memory
// of one. The query's columns are called as the fields of a record; documents
// is a column of JSON, lists are arrays. Faults name the row, counted from 1,
// in place of a line.
func Postgres(ctx context.Context, url, query string) Stream {
	return func(each func(placement.Entry) error) error {
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return fmt.Errorf("cannot connect to PostgreSQL: %w", err) // pgx leaves the password out
		}
		defer conn.Close(context.WithoutCancel(ctx))
		tx, err := conn.BeginTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly})
		if err != nil {
			return fmt.Errorf("cannot read from PostgreSQL: %w", err)
		}
		defer tx.Rollback(context.WithoutCancel(ctx))
		rows, err := tx.Query(ctx, "SELECT json_strip_nulls(row_to_json(q))::text FROM ("+query+"\n) AS q")
		if err != nil {
			return fmt.Errorf("cannot read from PostgreSQL: %w", err)
		}
		defer rows.Close()
		lines, out := io.Pipe()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			var err error
			for err == nil && rows.Next() {
				var line string
				if err = rows.Scan(&line); err == nil {
					_, err = io.WriteString(out, line+"\n")
				}
			}
			if err == nil {
				err = rows.Err()
			}
			out.CloseWithError(err) // nil is the end
		}()
		err = placement.Read("postgres", lines, placement.Entries, each)
		lines.Close() // ends a Write that waits
		<-ended
		return err
	}
}

// Command gen writes testdata/inbox/invoices.xlsx, the one document of the inbox that can't be written by hand. The same
// program always writes the same bytes.
//
//	go run ./testdata/gen
package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/xuri/excelize/v2"
)

const path = "testdata/inbox/invoices.xlsx"

// An invoice is one row.
type invoice struct {
	number, supplier string
	month            time.Month
	day              int
	amount, tax      float64
	paid             bool
	note             string
}

var invoices = []invoice{
	{"INV-2026-001", "Northgate Bikes", 1, 8, 1240.00, 0.20, true, "Two cargo bikes, yearly service"},
	{"2026/0017", "Kältetechnik Dietz", 1, 12, 540.00, 0.19, true, "Wartungsvertrag 2026, beide Termine"},
	{"F-26-0042", "Imprimerie Castelnau", 1, 15, 318.50, 0.20, true, "Affiches pour la journée portes ouvertes, 250 exemplaires"},
	{"R-88213", "Brunner & Söhne GmbH", 1, 20, 4875.90, 0.19, true, "Sechs Regale Eiche, geliefert und aufgebaut"},
	{"5521", "Cartotecnica Lamberti", 1, 27, 820.00, 0.22, false, "Acconto del 30 % già versato"},
	{"INV-2026-019", "Elsing Harbour Supplies", 1, 30, 96.40, 0.20, true, "Rope and two padlocks"},
	{"2026-0388", "Zonnepanelen Terwal", 2, 3, 6415.00, 0.21, false, "435,00 more than the quotation; asked on 4 March"},
	{"A-10077", "Papeterie du Pont", 2, 5, 61.75, 0.20, true, ""},
	{"26-0147", "Kältetechnik Dietz", 2, 9, 11860.00, 0.19, false, "Klimatisierung Serverraum, erste Hälfte bei Auftrag"},
	{"VM-88213", "Transportes Valdemira", 2, 12, 148.00, 0.21, false, "Reclamado: 71 copas rotas en el envío"},
	{"INV-2026-033", "Marsh Lane Cleaning", 2, 13, 285.00, 0.20, true, "Stairs and windows, January"},
	{"CN-2026-004", "Marsh Lane Cleaning", 2, 16, -95.00, 0.20, true, "Credit note: windows were not cleaned"},
	{"F-26-0108", "Terrassements Moreau", 2, 18, 2310.00, 0.10, false, "Tranchée pour la conduite d'eau, 14 mètres"},
	{"2026/0231", "Stadtwerke Wehrsheim", 2, 20, 1932.66, 0.19, true, "Strom und Fernwärme, Abschlag Februar"},
	{"R-90002", "Ruoff Lager GmbH", 2, 24, 1190.00, 0.19, true, "Lagermiete Februar; Vertrag endet am 30. April"},
	{"0000217", "Wen Li Signs", 2, 26, 140.00, 0, true, "Hand-painted price signs, no VAT (small business)"},
	{"INV-2026-052", "Adeyemi Structures Ltd", 3, 2, 3600.00, 0.20, false, "Survey of harbour shed no. 3, first stage"},
	{"F-26-0151", "Menuiserie Delorme", 3, 4, 640.00, 0.20, false, "Contact électrique pour la dégauchisseuse"},
	{"2026-0455", "Boekhandel De Linde", 3, 5, 212.35, 0.09, true, "Vakboeken voor de werkplaats"},
	{"INV-2026-061", "Northgate Bikes", 3, 9, 59.90, 0.20, false, "Spare hub; 60.00 credit not yet taken off"},
}

var header = []any{"invoice_no", "supplier", "date", "amount", "tax", "paid", "note"}

func main() {
	if err := write(path); err != nil {
		fmt.Fprintf(os.Stderr, "write %s: %v\n", path, err)
		os.Exit(1)
	}
}

func write(path string) error {
	f := excelize.NewFile()
	if err := fill(f, "Invoices"); err != nil {
		return err
	}
	stamp := "2026-03-10T08:00:00Z" // instead of now, so that the bytes are the same each time
	if err := f.SetDocProps(&excelize.DocProperties{Title: "Invoices, first quarter of 2026", Creator: "docbatch", Created: stamp, Modified: stamp}); err != nil {
		return err
	}
	b, err := f.WriteToBuffer()
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(path, b.Bytes(), 0o644), f.Close())
}

// fill writes the header and the rows into a sheet that takes the place of the first.
func fill(f *excelize.File, sheet string) error {
	if err := f.SetSheetName("Sheet1", sheet); err != nil {
		return err
	}
	if err := f.SetSheetRow(sheet, "A1", &header); err != nil {
		return err
	}
	for i, v := range invoices {
		date := time.Date(2026, v.month, v.day, 0, 0, 0, 0, time.UTC)
		row := []any{v.number, v.supplier, date, v.amount, v.tax, v.paid, v.note}
		if err := f.SetSheetRow(sheet, fmt.Sprintf("A%d", i+2), &row); err != nil {
			return err
		}
	}
	return format(f, sheet, len(invoices)+1)
}

// format gives the columns the number formats that make a value read as a date, an amount, a percentage.
func format(f *excelize.File, sheet string, last int) error {
	for i, code := range []string{"yyyy-mm-dd", `#,##0.00\ [$€-407]`, "0%"} {
		style, err := f.NewStyle(&excelize.Style{CustomNumFmt: &code})
		if err != nil {
			return err
		}
		column := "CDE"[i : i+1]
		if err := f.SetCellStyle(sheet, column+"2", fmt.Sprintf("%s%d", column, last), style); err != nil {
			return err
		}
	}
	bold, err := f.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}})
	if err != nil {
		return err
	}
	if err := f.SetCellStyle(sheet, "A1", "G1", bold); err != nil {
		return err
	}
	for i, width := range []float64{15, 26, 12, 14, 6, 8, 58} {
		column := "ABCDEFG"[i : i+1]
		if err := f.SetColWidth(sheet, column, column, width); err != nil {
			return err
		}
	}
	return nil
}

-- The schema's part that needs rows. Written by dbbuild, and loaded by it: not a script for psql.

SET default_tablespace = '';

--
-- Name: address address_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.address
    ADD CONSTRAINT address_pkey PRIMARY KEY (customer_id, number);


--
-- Name: category category_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.category
    ADD CONSTRAINT category_pkey PRIMARY KEY (code);


--
-- Name: country country_alpha3_unique; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.country
    ADD CONSTRAINT country_alpha3_unique UNIQUE (alpha3);


--
-- Name: country country_numeric_code_unique; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.country
    ADD CONSTRAINT country_numeric_code_unique UNIQUE (numeric_code);


--
-- Name: country country_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.country
    ADD CONSTRAINT country_pkey PRIMARY KEY (code);


--
-- Name: currency currency_numeric_code_unique; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.currency
    ADD CONSTRAINT currency_numeric_code_unique UNIQUE (numeric_code);


--
-- Name: currency currency_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.currency
    ADD CONSTRAINT currency_pkey PRIMARY KEY (code);


--
-- Name: customer customer_email_unique; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.customer
    ADD CONSTRAINT customer_email_unique UNIQUE (email);


--
-- Name: customer customer_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.customer
    ADD CONSTRAINT customer_pkey PRIMARY KEY (id);


--
-- Name: order_line order_line_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.order_line
    ADD CONSTRAINT order_line_pkey PRIMARY KEY (order_id, number);


--
-- Name: order_state order_state_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.order_state
    ADD CONSTRAINT order_state_pkey PRIMARY KEY (code);


--
-- Name: order_state order_state_position_unique; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.order_state
    ADD CONSTRAINT order_state_position_unique UNIQUE ("position");


--
-- Name: payment payment_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.payment
    ADD CONSTRAINT payment_pkey PRIMARY KEY (reference);


--
-- Name: price price_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.price
    ADD CONSTRAINT price_pkey PRIMARY KEY (sku, currency_code, valid_from);


--
-- Name: product product_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.product
    ADD CONSTRAINT product_pkey PRIMARY KEY (sku);


--
-- Name: sales_order sales_order_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.sales_order
    ADD CONSTRAINT sales_order_pkey PRIMARY KEY (id);


--
-- Name: shop_setting shop_setting_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.shop_setting
    ADD CONSTRAINT shop_setting_pkey PRIMARY KEY (name);


--
-- Name: stock_movement stock_movement_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.stock_movement
    ADD CONSTRAINT stock_movement_pkey PRIMARY KEY (reference, sku, warehouse_code);


--
-- Name: stock stock_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.stock
    ADD CONSTRAINT stock_pkey PRIMARY KEY (sku, warehouse_code);


--
-- Name: tax_category tax_category_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.tax_category
    ADD CONSTRAINT tax_category_pkey PRIMARY KEY (code);


--
-- Name: tax_rate tax_rate_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.tax_rate
    ADD CONSTRAINT tax_rate_pkey PRIMARY KEY (country_code, tax_category_code, valid_from);


--
-- Name: warehouse warehouse_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.warehouse
    ADD CONSTRAINT warehouse_pkey PRIMARY KEY (code);


--
-- Name: address_country_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX address_country_idx ON public.address USING btree (country_code);


--
-- Name: category_parent_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX category_parent_idx ON public.category USING btree (parent_code);


--
-- Name: order_line_product_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX order_line_product_idx ON public.order_line USING btree (sku);


--
-- Name: payment_order_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX payment_order_idx ON public.payment USING btree (order_id);


--
-- Name: price_currency_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX price_currency_idx ON public.price USING btree (currency_code);


--
-- Name: product_category_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX product_category_idx ON public.product USING btree (category_code);


--
-- Name: product_slug_unique; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX product_slug_unique ON public.product USING btree (slug);


--
-- Name: product_tax_category_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX product_tax_category_idx ON public.product USING btree (tax_category_code);


--
-- Name: sales_order_billing_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX sales_order_billing_idx ON public.sales_order USING btree (customer_id, billing_address);


--
-- Name: sales_order_currency_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX sales_order_currency_idx ON public.sales_order USING btree (currency_code);


--
-- Name: sales_order_placed_at_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX sales_order_placed_at_idx ON public.sales_order USING btree (placed_at);


--
-- Name: sales_order_shipping_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX sales_order_shipping_idx ON public.sales_order USING btree (customer_id, shipping_address);


--
-- Name: sales_order_state_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX sales_order_state_idx ON public.sales_order USING btree (order_state_code);


--
-- Name: stock_movement_sku_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX stock_movement_sku_idx ON public.stock_movement USING btree (sku, warehouse_code);


--
-- Name: stock_movement_warehouse_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX stock_movement_warehouse_idx ON public.stock_movement USING btree (warehouse_code);


--
-- Name: stock_warehouse_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX stock_warehouse_idx ON public.stock USING btree (warehouse_code);


--
-- Name: tax_rate_category_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX tax_rate_category_idx ON public.tax_rate USING btree (tax_category_code);


--
-- Name: warehouse_country_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX warehouse_country_idx ON public.warehouse USING btree (country_code);


--
-- Name: order_line order_total; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER order_total AFTER INSERT OR DELETE OR UPDATE ON public.order_line FOR EACH ROW EXECUTE FUNCTION public.order_total_refresh();


--
-- Name: product product_slug; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER product_slug AFTER INSERT ON public.product FOR EACH ROW WHEN ((new.slug IS NULL)) EXECUTE FUNCTION public.product_slug_fill();


--
-- Name: stock_movement stock_on_hand; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER stock_on_hand AFTER INSERT OR DELETE OR UPDATE ON public.stock_movement FOR EACH ROW EXECUTE FUNCTION public.stock_on_hand_apply();


--
-- Name: address address_country_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.address
    ADD CONSTRAINT address_country_fkey FOREIGN KEY (country_code) REFERENCES public.country(code);


--
-- Name: address address_customer_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.address
    ADD CONSTRAINT address_customer_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id) ON DELETE CASCADE;


--
-- Name: category category_parent_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.category
    ADD CONSTRAINT category_parent_fkey FOREIGN KEY (parent_code) REFERENCES public.category(code);


--
-- Name: order_line order_line_order_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.order_line
    ADD CONSTRAINT order_line_order_fkey FOREIGN KEY (order_id) REFERENCES public.sales_order(id) ON DELETE CASCADE;


--
-- Name: order_line order_line_product_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.order_line
    ADD CONSTRAINT order_line_product_fkey FOREIGN KEY (sku) REFERENCES public.product(sku);


--
-- Name: payment payment_order_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.payment
    ADD CONSTRAINT payment_order_fkey FOREIGN KEY (order_id) REFERENCES public.sales_order(id);


--
-- Name: price price_currency_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.price
    ADD CONSTRAINT price_currency_fkey FOREIGN KEY (currency_code) REFERENCES public.currency(code);


--
-- Name: price price_product_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.price
    ADD CONSTRAINT price_product_fkey FOREIGN KEY (sku) REFERENCES public.product(sku) ON DELETE CASCADE;


--
-- Name: product product_category_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.product
    ADD CONSTRAINT product_category_fkey FOREIGN KEY (category_code) REFERENCES public.category(code);


--
-- Name: product product_tax_category_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.product
    ADD CONSTRAINT product_tax_category_fkey FOREIGN KEY (tax_category_code) REFERENCES public.tax_category(code);


--
-- Name: sales_order sales_order_billing_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.sales_order
    ADD CONSTRAINT sales_order_billing_fkey FOREIGN KEY (customer_id, billing_address) REFERENCES public.address(customer_id, number);


--
-- Name: sales_order sales_order_currency_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.sales_order
    ADD CONSTRAINT sales_order_currency_fkey FOREIGN KEY (currency_code) REFERENCES public.currency(code);


--
-- Name: sales_order sales_order_customer_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.sales_order
    ADD CONSTRAINT sales_order_customer_fkey FOREIGN KEY (customer_id) REFERENCES public.customer(id);


--
-- Name: sales_order sales_order_shipping_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.sales_order
    ADD CONSTRAINT sales_order_shipping_fkey FOREIGN KEY (customer_id, shipping_address) REFERENCES public.address(customer_id, number);


--
-- Name: sales_order sales_order_state_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.sales_order
    ADD CONSTRAINT sales_order_state_fkey FOREIGN KEY (order_state_code) REFERENCES public.order_state(code);


--
-- Name: stock_movement stock_movement_product_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.stock_movement
    ADD CONSTRAINT stock_movement_product_fkey FOREIGN KEY (sku) REFERENCES public.product(sku);


--
-- Name: stock_movement stock_movement_warehouse_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.stock_movement
    ADD CONSTRAINT stock_movement_warehouse_fkey FOREIGN KEY (warehouse_code) REFERENCES public.warehouse(code);


--
-- Name: stock stock_product_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.stock
    ADD CONSTRAINT stock_product_fkey FOREIGN KEY (sku) REFERENCES public.product(sku);


--
-- Name: stock stock_warehouse_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.stock
    ADD CONSTRAINT stock_warehouse_fkey FOREIGN KEY (warehouse_code) REFERENCES public.warehouse(code);


--
-- Name: tax_rate tax_rate_category_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.tax_rate
    ADD CONSTRAINT tax_rate_category_fkey FOREIGN KEY (tax_category_code) REFERENCES public.tax_category(code);


--
-- Name: tax_rate tax_rate_country_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.tax_rate
    ADD CONSTRAINT tax_rate_country_fkey FOREIGN KEY (country_code) REFERENCES public.country(code);


--
-- Name: warehouse warehouse_country_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.warehouse
    ADD CONSTRAINT warehouse_country_fkey FOREIGN KEY (country_code) REFERENCES public.country(code);
